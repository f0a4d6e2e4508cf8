//! A transfer is read, on a thread of its own: entry by entry, line by line, each looked at before it is handed on.
//!
//! Invariants:
//! - Memory: a batch of rows, an image, and the ids of what was read; a line has [`limits::TRANSFER_LINE_BYTES`] at most.
//! - ffmpeg sees of a video what it sees of one that is uploaded, and sees it once, however often the transfer is read.
//! - No name of an entry becomes a path; only plain entries of the expected names, in the expected order, are read.
//! - What unfolds to more than [`limits::TRANSFER_UNFOLDED`] times its size is not read to its end.

use std::{
    collections::{HashMap, HashSet},
    fs::File,
    io::{self, BufRead, BufReader, Read, Write},
    path::{Path, PathBuf},
    sync::Arc,
};

use flate2::read::GzDecoder;
use madang_proto::{Timestamp, input, limits};
use madang_store::transfer::{Row, SHARED, Table};
use sha2::{Digest, Sha256};

use super::{
    AVATAR, EMOJI, FILES, FORMAT, MANIFEST, Manifest, Part, TransferKind,
    check::{Checker, Place},
    hex,
};
use crate::files::{Ffmpeg, container, images, kinds};

/// Rows, and bytes of their lines, that are handed on at once.
const BATCH: (usize, usize) = (500, 1024 * 1024);
/// Bytes of a manifest.
const MANIFEST_BYTES: u64 = 256 * 1024;
/// Bytes that every transfer may unfold to.
const SMALL: u64 = 64 * 1024 * 1024;

/// The state of a file that a message carries.
const READY: &str = "ready";

/// What is handed on.
pub enum Item {
    /// Rows, with the lines that they stood in.
    Rows(&'static Table, Vec<(u64, Row)>),
    /// The bytes of a file: whole, but of the picture of a user; and small, of a picture.
    Bytes { id: i64, path: PathBuf, whole: bool, thumbnail: Option<Vec<u8>> },
}

/// What of files is taken.
#[derive(Debug, Clone)]
pub struct Taken {
    /// Bytes of a file.
    pub bytes: i64,
    /// Their types; all when empty.
    pub types: Vec<String>,
    /// What makes the thumbnails of videos.
    pub ffmpeg: Option<Arc<Ffmpeg>>,
}

/// What a transfer is, once it was read.
pub struct Outcome {
    pub manifest: Option<Manifest>,
    pub problems: Vec<String>,
    /// The ids of the oldest and the newest message.
    pub messages: Option<(i64, i64)>,
}

/// A row of a file whose bytes may come.
struct Expected {
    place: Place,
    size: i64,
    sha256: String,
    media_type: String,
    state: String,
    thumbnail: bool,
}

/// Counts what is read.
struct Counted<R> {
    inner: R,
    count: u64,
}

impl<R: Read> Read for Counted<R> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let count = self.inner.read(buffer)?;
        self.count += count as u64;
        Ok(count)
    }
}

/// Refuses what unfolds too far.
struct Bounded {
    inner: GzDecoder<Counted<BufReader<File>>>,
    count: u64,
}

impl Read for Bounded {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let count = self.inner.read(buffer)?;
        self.count += count as u64;
        let most = self.inner.get_ref().count.saturating_mul(limits::TRANSFER_UNFOLDED).max(SMALL);
        if self.count > most {
            let times = limits::TRANSFER_UNFOLDED;
            return Err(io::Error::other(format!("it unfolds to more than {times} times its size")));
        }
        Ok(count)
    }
}

/// Reads a transfer and hands on what is in it, until `give` wants no more.
pub fn read(
    path: &Path,
    folder: &Path,
    taken: &Taken,
    now: Timestamp,
    give: &mut dyn FnMut(Item) -> bool,
) -> Outcome {
    let mut reader = Reader {
        checker: Checker::new(now),
        expected: HashMap::new(),
        messages: None,
        emoji: HashSet::new(),
        folder,
        taken,
        give,
    };
    let manifest = match reader.transfer(path) {
        Ok(manifest) => manifest,
        Err(error) => {
            let name = path.display();
            reader.checker.problems.say(format!("{name}: {error}; is it whole, and a transfer of Madang?"));
            None
        }
    };
    reader.checker.seen.settle(&mut reader.checker.problems);
    Outcome { manifest, problems: reader.checker.problems.into_lines(), messages: reader.messages }
}

struct Reader<'a> {
    checker: Checker,
    expected: HashMap<i64, Expected>,
    messages: Option<(i64, i64)>,
    /// The names of its emoji.
    emoji: HashSet<String>,
    folder: &'a Path,
    taken: &'a Taken,
    give: &'a mut dyn FnMut(Item) -> bool,
}

impl Reader<'_> {
    fn transfer(&mut self, path: &Path) -> io::Result<Option<Manifest>> {
        let file = BufReader::new(File::open(path)?);
        let inner = GzDecoder::new(Counted { inner: file, count: 0 });
        let mut archive = tar::Archive::new(Bounded { inner, count: 0 });
        // As they are: what extends the name of an entry, or anything else of it, is an entry that is not expected.
        let mut entries = archive.entries()?.raw(true);
        let mut next = || -> io::Result<Option<(String, tar::Entry<'_, Bounded>)>> {
            let Some(entry) = entries.next().transpose()? else { return Ok(None) };
            if entry.header().entry_type() != tar::EntryType::Regular {
                return Err(io::Error::other("an entry is not a plain file"));
            }
            Ok(Some((String::from_utf8_lossy(&entry.path_bytes()).into_owned(), entry)))
        };
        let Some((name, entry)) = next()? else { return Err(io::Error::other("it is empty")) };
        if name != MANIFEST {
            return Err(io::Error::other(format!("its first entry is not {MANIFEST}")));
        }
        let manifest: Manifest = serde_json::from_reader(entry.take(MANIFEST_BYTES))
            .map_err(|error| io::Error::other(format!("{MANIFEST}: {error}")))?;
        if manifest.format != FORMAT {
            let format = manifest.format;
            let what = format!(
                "it has format {format}, this Madang reads {FORMAT}; use the one that made it, or a newer one"
            );
            return Err(io::Error::other(what));
        }
        if manifest.kind != TransferKind::Workspace {
            return Err(io::Error::other("it is what one user took away; only workspaces are imported"));
        }
        let mut tables = SHARED.iter();
        for part in &manifest.parts {
            let called = |table: &&Table| part.name == format!("{}.jsonl", table.name);
            let Some(table) = tables.find(called) else {
                let name: String = part.name.chars().take(80).collect();
                return Err(io::Error::other(format!(
                    "{MANIFEST}: part {name:?} is not known, or not in its place"
                )));
            };
            match next()? {
                Some((name, entry)) if name == part.name => self.part(table, part, entry)?,
                _ => return Err(io::Error::other(format!("part {} does not come in its place", part.name))),
            }
            if self.checker.problems.is_full() {
                return Ok(Some(manifest));
            }
        }
        while let Some((name, entry)) = next()? {
            self.file(&name, entry)?;
        }
        if self.checker.seen.workspace.is_none() {
            self.checker.problems.say("workspaces.jsonl: there is no workspace".to_owned());
        }
        Ok(Some(manifest))
    }

    fn part(&mut self, table: &'static Table, part: &Part, entry: impl Read) -> io::Result<()> {
        let mut entry = BufReader::with_capacity(256 * 1024, entry);
        let (mut hash, mut bytes, mut lines) = (Sha256::new(), 0_u64, 0_u64);
        let (mut batch, mut weight, mut line) = (Vec::new(), 0_usize, Vec::new());
        loop {
            line.clear();
            let most = limits::TRANSFER_LINE_BYTES as u64 + 1;
            let count = (&mut entry).take(most).read_until(b'\n', &mut line)?;
            if count == 0 {
                break;
            }
            lines += 1;
            bytes += count as u64;
            hash.update(&line);
            let place = Place { table: table.name, line: lines };
            if count > limits::TRANSFER_LINE_BYTES {
                self.checker.problems.add(place, format!("more than {} bytes", limits::TRANSFER_LINE_BYTES));
                return Err(io::Error::other(format!("{} cannot be read on", part.name)));
            }
            if let Some(row) = self.checker.row(table, lines, &line) {
                self.note(table, place, &row);
                weight += count;
                batch.push((lines, row));
            }
            if batch.len() >= BATCH.0 || weight >= BATCH.1 {
                weight = 0;
                self.hand_on(Item::Rows(table, std::mem::take(&mut batch)))?;
            }
            if self.checker.problems.is_full() {
                return Ok(());
            }
        }
        if !batch.is_empty() {
            self.hand_on(Item::Rows(table, batch))?;
        }
        if (bytes, lines) != (part.bytes, part.lines) || hex(&hash.finalize()) != part.sha256 {
            let what =
                format!("{}: is not what {MANIFEST} says that it is: it was changed or cut", part.name);
            self.checker.problems.say(what);
        }
        Ok(())
    }

    /// Notes of a row what is needed later.
    fn note(&mut self, table: &'static Table, place: Place, row: &Row) {
        let value = |column: &str| table.place(column).and_then(|at| row.get(at));
        let Some(id) = value("id").and_then(serde_json::Value::as_i64) else { return };
        match table.name {
            "messages" => {
                let (oldest, newest) = self.messages.unwrap_or((id, id));
                self.messages = Some((oldest.min(id), newest.max(id)));
            }
            "files" => {
                let text = |column| value(column).and_then(|v| v.as_str()).unwrap_or_default().to_owned();
                let size = value("size").and_then(serde_json::Value::as_i64).unwrap_or_default();
                if size > self.taken.bytes {
                    let most = self.taken.bytes;
                    let what = format!("size: files may have {most} bytes here; raise MADANG_FILE_MEGABYTES");
                    self.checker.problems.add(place, what);
                }
                let (sha256, media_type, state) = (text("sha256"), text("media_type"), text("state"));
                if sha256.is_empty() != (state == AVATAR) {
                    self.checker.problems.add(place, "sha256: all files have one but avatars");
                }
                let of_workspace = value("workspace_id").is_some_and(serde_json::Value::is_number);
                if state == EMOJI && !(of_workspace && self.is_new_emoji(text("name"))) {
                    let most = limits::EMOJI_PER_WORKSPACE;
                    let what = format!("name: emoji of a workspace, {most} at most, have names of their own");
                    self.checker.problems.add(place, what);
                }
                let thumbnail = value("thumbnail").and_then(serde_json::Value::as_bool) == Some(true);
                let expected = Expected { place, size, sha256, media_type, state, thumbnail };
                if self.expected.insert(id, expected).is_some() {
                    self.checker.problems.add(place, "id: is there twice");
                }
            }
            _ => {}
        }
    }

    /// Whether an emoji can have this name, and none had it before.
    fn is_new_emoji(&mut self, name: String) -> bool {
        input::emoji_name(&name).as_ref() == Ok(&name)
            && self.emoji.insert(name)
            && self.emoji.len() <= limits::EMOJI_PER_WORKSPACE
    }

    fn hand_on(&mut self, item: Item) -> io::Result<()> {
        if (self.give)(item) { Ok(()) } else { Err(io::Error::other("it was given up")) }
    }

    /// The bytes of a file, if they are those of its row.
    fn file(&mut self, name: &str, mut entry: impl Read) -> io::Result<()> {
        let shown: String = name.chars().take(80).collect();
        let id = name.strip_prefix(FILES).and_then(|id| id.parse::<madang_proto::FileId>().ok());
        let expected = id.and_then(|id| Some((id.get(), self.expected.remove(&id.get())?)));
        let Some((id, expected)) = expected else {
            return Err(io::Error::other(format!(
                "entry {shown:?} is not a file of files.jsonl, or comes twice"
            )));
        };
        let path = self.folder.join(id.to_string());
        let mut target = io::BufWriter::new(File::create(&path)?);
        let (mut hash, mut size, mut head) = (Sha256::new(), 0_i64, Vec::new());
        let mut buffer = vec![0; 64 * 1024];
        loop {
            let count = entry.read(&mut buffer)?;
            let Some(read) = buffer.get(..count).filter(|read| !read.is_empty()) else { break };
            size += i64::try_from(count).unwrap_or_default();
            if size > expected.size {
                break;
            }
            let room = kinds::HEAD.saturating_sub(head.len()).min(count);
            head.extend_from_slice(read.get(..room).unwrap_or_default());
            hash.update(read);
            target.write_all(read)?;
        }
        target.flush()?;
        let whole = expected.state != AVATAR;
        if size != expected.size || (whole && hex(&hash.finalize()) != expected.sha256) {
            let what = format!("sha256: the bytes of file {id} are others than its line says");
            self.checker.problems.add(expected.place, what);
            return Ok(());
        }
        let media_type = kinds::sniff(&head);
        if whole && media_type != expected.media_type {
            let what = format!("media_type: its bytes are {media_type}");
            self.checker.problems.add(expected.place, what);
        } else if expected.state == READY && !kinds::is_allowed(media_type, &self.taken.types) {
            let what =
                format!("media_type: files of type {media_type} are not taken here (MADANG_FILE_TYPES)");
            self.checker.problems.add(expected.place, what);
        }
        let thumbnail = match self.thumbnail(&path, media_type, &expected) {
            Ok(thumbnail) => thumbnail,
            Err(why) => {
                self.checker.problems.add(expected.place, why);
                None
            }
        };
        self.hand_on(Item::Bytes { id, path, whole, thumbnail })
    }

    /// Thumbnails are made anew: what a transfer says is one would be shown unseen. What is small itself, the picture
    /// of a user and an emoji, has to be a picture of that size.
    fn thumbnail(
        &self,
        path: &Path,
        media_type: &str,
        expected: &Expected,
    ) -> Result<Option<Vec<u8>>, String> {
        let most = match expected.state.as_str() {
            AVATAR => limits::AVATAR_PIXELS,
            EMOJI => limits::EMOJI_PIXELS,
            _ if !kinds::is_image(media_type) => return self.of_video(path, media_type, expected),
            _ => u32::MAX,
        };
        if u64::try_from(expected.size).unwrap_or(u64::MAX) > limits::IMAGE_BYTES {
            return Err(format!("size: pictures have at most {} bytes", limits::IMAGE_BYTES));
        }
        let bytes = std::fs::read(path).map_err(|error| error.to_string())?;
        let (prepared, _) = images::prepare(media_type, &bytes)
            .filter(|(prepared, _)| prepared.width.max(prepared.height).is_some_and(|side| side <= most))
            .ok_or_else(|| format!("cannot be read as {media_type}, or is too large"))?;
        Ok(match expected.state.as_str() {
            AVATAR => Some(bytes),
            _ => prepared.thumbnail.filter(|_| expected.thumbnail),
        })
    }

    /// The thumbnail of a video; beside it when the transfer is read once more.
    fn of_video(
        &self,
        path: &Path,
        media_type: &str,
        expected: &Expected,
    ) -> Result<Option<Vec<u8>>, String> {
        let (Some(ffmpeg), Some(container)) = (&self.taken.ffmpeg, container(media_type)) else {
            return Ok(None);
        };
        if !expected.thumbnail {
            return Ok(None);
        }
        let known = path.with_extension("thumbnail");
        if !known.exists() {
            let made = ffmpeg.thumbnail_of(container, path).unwrap_or_default();
            std::fs::write(&known, made).map_err(|error| error.to_string())?;
        }
        let thumbnail = std::fs::read(&known).map_err(|error| error.to_string())?;
        Ok(Some(thumbnail).filter(|bytes| !bytes.is_empty()))
    }
}
