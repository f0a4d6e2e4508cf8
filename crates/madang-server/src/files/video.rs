//! Videos: cleaned of what they tell besides picture and sound, measured, and given a thumbnail, by ffmpeg, where there
//! is one. Without it they are kept as they came.
//!
//! ffmpeg reads what anyone uploads, so it gets little: a file that was seen to be a video, read as the container that
//! it was seen to be (a list that names other files is not read as one), no protocol but files, no environment, one
//! thread, little time, and no room for large answers. It works on threads for that, one video at once.
//!
//! Invariants:
//! - What stays of a video has its first picture and sound tracks only: no text, place, device, chapter or data track.
//! - A video that cannot be read as what it seems to be is refused, as an image is.

use std::{
    ffi::OsStr,
    io::{self, ErrorKind, Read},
    path::{Path, PathBuf},
    process::{Child, Command, Stdio},
    thread,
    time::{Duration, Instant},
};

use madang_proto::limits::{THUMBNAIL_PIXELS, VIDEO_SECONDS};
use serde::Deserialize;

use super::prepare::Prepared;
use crate::config::Config;

/// Videos that are worked on at once.
pub const AT_ONCE: usize = 1;
/// Bytes of an answer that are taken: a thumbnail, or what is known of a video.
const ANSWER: u64 = 2 * 1024 * 1024;
/// How often it is looked whether a program has ended.
const LOOK: Duration = Duration::from_millis(10);
/// Where in a video its thumbnail is taken, or in the middle of a shorter one.
const MOMENT: f64 = 1.0;

/// The two programs of ffmpeg.
#[derive(Debug)]
pub struct Ffmpeg {
    ffmpeg: PathBuf,
    ffprobe: PathBuf,
}

/// What ffmpeg calls a container when it reads and when it writes it.
pub type Container = (&'static str, &'static str);

/// The container of a video; nothing of kinds that are kept as they are.
pub fn container(media_type: &str) -> Option<Container> {
    match media_type {
        "video/mp4" => Some(("mov", "mp4")),
        "video/quicktime" => Some(("mov", "mov")),
        "video/webm" => Some(("matroska", "webm")),
        "video/x-matroska" => Some(("matroska", "matroska")),
        _ => None,
    }
}

impl Ffmpeg {
    /// The programs that the setting names, or those on PATH. `None` where there are none, or none are wanted.
    ///
    /// # Errors
    /// Says that what the setting names is not there.
    pub fn from_config(config: &Config) -> Result<Option<Self>, String> {
        let found = match config.ffmpeg.as_deref() {
            Some("off") => return Ok(None),
            Some(named) => Some(PathBuf::from(named)),
            None => on_path("ffmpeg"),
        };
        let Some(ffmpeg) = found else { return Ok(None) };
        let ffprobe = ffmpeg.with_file_name("ffprobe");
        let missing = [&ffmpeg, &ffprobe].into_iter().find(|program| !program.is_file());
        match (missing, &config.ffmpeg) {
            (None, _) => Ok(Some(Self { ffmpeg, ffprobe })),
            (Some(_), None) => Ok(None),
            (Some(missing), Some(_)) => Err(format!("ffmpeg: there is no {}", missing.display())),
        }
    }

    /// Cleans a video of this container to `target`, and looks at it.
    ///
    /// # Errors
    /// `InvalidData` when it cannot be read as what it seems to be, `TimedOut` when not in time.
    pub fn prepare(&self, (reads, writes): Container, video: &Path, target: &Path) -> io::Result<Prepared> {
        let until = Instant::now() + Duration::from_secs(VIDEO_SECONDS);
        self.clean((reads, video), (writes, target), until)?;
        let mut prepared = self.look_at(reads, target, until).unwrap_or_default();
        prepared.thumbnail = self.thumbnail(reads, target, prepared.duration_ms, until);
        Ok(prepared)
    }

    /// The thumbnail of a video of this container; nothing where it cannot be read, or not in time.
    pub fn thumbnail_of(&self, (reads, _): Container, video: &Path) -> Option<Vec<u8>> {
        let until = Instant::now() + Duration::from_secs(VIDEO_SECONDS);
        let duration_ms = self.look_at(reads, video, until).and_then(|known| known.duration_ms);
        self.thumbnail(reads, video, duration_ms, until)
    }

    fn clean(&self, from: (&str, &Path), to: (&str, &Path), until: Instant) -> io::Result<()> {
        let mut command = reading(&self.ffmpeg, from);
        // Pictures that stand for a video are no tracks of it (`V`). Texts may be where a camera was.
        command.args(["-map", "0:V?", "-map", "0:a?", "-c", "copy", "-map_metadata", "-1"]);
        command.args(["-map_metadata:s", "-1", "-map_chapters", "-1", "-fflags", "+bitexact"]);
        command.args(["-flags:v", "+bitexact", "-flags:a", "+bitexact"]);
        if from.0 == "mov" {
            // What a player has to know first comes first.
            command.args(["-movflags", "+faststart"]);
        }
        command.args(["-y", "-f", to.0]).arg(file_of(to.1));
        run(&mut command, until).map(drop)
    }

    fn look_at(&self, reads: &str, video: &Path, until: Instant) -> Option<Prepared> {
        let mut command = reading(&self.ffprobe, (reads, video));
        command.args(["-select_streams", "V:0", "-of", "json", "-show_entries"]);
        command.arg("format=duration:stream=width,height:stream_side_data=rotation");
        let known: Known = serde_json::from_slice(&run(&mut command, until).ok()?).ok()?;
        let track = known.streams.into_iter().next().unwrap_or_default();
        let on_its_side = track.side_data_list.iter().any(|data| data.rotation.abs() % 180.0 == 90.0);
        let (width, height) =
            if on_its_side { (track.height, track.width) } else { (track.width, track.height) };
        let seconds = known.format.duration.and_then(|text| text.parse::<f64>().ok());
        let duration = seconds.and_then(|s| Duration::try_from_secs_f64(s).ok());
        let duration_ms = duration.and_then(|d| i64::try_from(d.as_millis()).ok());
        Some(Prepared { width, height, duration_ms, thumbnail: None })
    }

    fn thumbnail(
        &self,
        reads: &str,
        video: &Path,
        duration_ms: Option<i64>,
        until: Instant,
    ) -> Option<Vec<u8>> {
        let middle =
            duration_ms.map_or(0.0, |ms| Duration::from_millis(ms.unsigned_abs()).as_secs_f64() / 2.0);
        let mut command = Command::new(&self.ffmpeg);
        command.args(["-ss", &MOMENT.min(middle).to_string()]);
        let mut command = reading_with(command, (reads, video));
        let most = THUMBNAIL_PIXELS;
        let scale = format!(
            "scale='min({most},iw)':'min({most},ih)':force_original_aspect_ratio=decrease,format=yuvj420p"
        );
        command.args(["-map", "0:V:0", "-frames:v", "1", "-vf", &scale, "-c:v", "mjpeg", "-q:v", "5"]);
        command.args(["-fflags", "+bitexact", "-flags:v", "+bitexact", "-f", "mjpeg", "pipe:1"]);
        run(&mut command, until).ok().filter(|bytes| bytes.starts_with(b"\xff\xd8"))
    }
}

/// A program that reads a video as this container and nothing else.
fn reading(program: &Path, from: (&str, &Path)) -> Command {
    reading_with(Command::new(program), from)
}

fn reading_with(mut command: Command, (container, video): (&str, &Path)) -> Command {
    command.args(["-v", "error", "-threads", "1", "-protocol_whitelist", "file", "-f", container, "-i"]);
    command.arg(file_of(video));
    command.env_clear();
    command
}

/// A path that is read as one, whatever is in it.
fn file_of(path: &Path) -> std::ffi::OsString {
    let mut named = std::ffi::OsString::from("file:");
    named.push(path);
    named
}

/// Runs a program to its end; gives what it says.
fn run(command: &mut Command, until: Instant) -> io::Result<Vec<u8>> {
    let mut child = command.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn()?;
    let (said, complaint) = (child.stdout.take().map(listen), child.stderr.take().map(listen));
    let ended = ended(&mut child, until);
    let heard = |from: Option<Listening>| from.and_then(|from| from.join().ok()).unwrap_or_default();
    let (said, complaint) = (heard(said), heard(complaint));
    if ended? && u64::try_from(said.len()).is_ok_and(|length| length <= ANSWER) {
        return Ok(said);
    }
    let full = String::from_utf8_lossy(&complaint).contains("No space left on device");
    Err(if full { ErrorKind::StorageFull } else { ErrorKind::InvalidData }.into())
}

/// Someone who listens to a program.
type Listening = thread::JoinHandle<Vec<u8>>;

/// Takes what a program says, so that it need not wait; one that says too much can say no more.
fn listen(from: impl Read + Send + 'static) -> Listening {
    thread::spawn(move || {
        let mut said = Vec::new();
        drop(from.take(ANSWER + 1).read_to_end(&mut said));
        said
    })
}

/// Waits for a program; one that takes longer is ended. Whether it did what it should.
fn ended(child: &mut Child, until: Instant) -> io::Result<bool> {
    while Instant::now() < until {
        if let Some(status) = child.try_wait()? {
            return Ok(status.success());
        }
        thread::sleep(LOOK);
    }
    child.kill()?;
    child.wait()?;
    Err(ErrorKind::TimedOut.into())
}

fn on_path(name: &str) -> Option<PathBuf> {
    let path = std::env::var_os("PATH")?;
    let absolute = |folder: &PathBuf| folder.is_absolute() && folder.as_os_str() != OsStr::new("");
    std::env::split_paths(&path).filter(absolute).map(|folder| folder.join(name)).find(|file| file.is_file())
}

/// What ffprobe says.
#[derive(Debug, Default, Deserialize)]
#[serde(default)]
struct Known {
    streams: Vec<Track>,
    format: Format,
}

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
struct Track {
    width: Option<u32>,
    height: Option<u32>,
    side_data_list: Vec<SideData>,
}

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
struct SideData {
    rotation: f64,
}

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
struct Format {
    duration: Option<String>,
}
