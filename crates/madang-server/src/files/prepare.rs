//! What is done with bytes that have come before they are kept: images and videos are cleaned, measured and given a
//! thumbnail. It takes memory and time, so it is done on threads for that, few at once.

use std::{io, io::ErrorKind, sync::Arc};

use madang_proto::{FileId, limits};

use super::{heif, images, kinds, storage::of_disk, video};
use crate::{
    app::App,
    error::{Error, Result},
};

/// What became of an image or a video.
#[derive(Debug, Default, PartialEq)]
pub struct Prepared {
    /// Pixels across, as it is shown.
    pub width: Option<u32>,
    /// Pixels down, as it is shown.
    pub height: Option<u32>,
    /// Milliseconds that it runs.
    pub duration_ms: Option<i64>,
    /// Smaller, as JPEG, or as PNG where one can look through it.
    pub thumbnail: Option<Vec<u8>>,
}

/// Cleans what has come of a file beside where it was gathered, and looks at it. `None` for kinds that are kept as
/// they came.
pub async fn prepare(app: &App, id: FileId, media_type: &'static str) -> Result<Option<Prepared>> {
    let (path, target) = (app.storage.coming(id), app.storage.cleaned(id));
    let prepared = if kinds::is_image(media_type) || kinds::is_heif(media_type) {
        let size = tokio::fs::metadata(&path).await.map_err(of_disk)?.len();
        if size > limits::IMAGE_BYTES {
            return Err(Error::TooLarge(usize::try_from(limits::IMAGE_BYTES).unwrap_or(usize::MAX)));
        }
        let _turn = app.images.acquire().await.map_err(Error::internal)?;
        on_a_thread(media_type, move || {
            let bytes = std::fs::read(&path)?;
            let prepared = if kinds::is_heif(media_type) {
                heif::strip(bytes).map(|cleaned| (Prepared::default(), cleaned))
            } else {
                images::prepare(media_type, &bytes)
            };
            let (prepared, cleaned) = prepared.ok_or(ErrorKind::InvalidData)?;
            std::fs::write(&target, cleaned)?;
            Ok(prepared)
        })
        .await?
    } else if let (Some(ffmpeg), Some(container)) = (&app.ffmpeg, video::container(media_type)) {
        let ffmpeg = Arc::clone(ffmpeg);
        let _turn = app.videos.acquire().await.map_err(Error::internal)?;
        on_a_thread(media_type, move || ffmpeg.prepare(container, &path, &target)).await?
    } else {
        return Ok(None);
    };
    Ok(Some(prepared))
}

/// Does work that takes long; tells what its failure means.
pub async fn on_a_thread<T: Send + 'static>(
    media_type: &'static str,
    work: impl FnOnce() -> io::Result<T> + Send + 'static,
) -> Result<T> {
    let unreadable = || Error::field("file", format!("cannot be read as {media_type}, which it seems to be"));
    match tokio::task::spawn_blocking(work).await {
        Ok(Ok(done)) => Ok(done),
        Ok(Err(error)) if error.kind() == ErrorKind::InvalidData => Err(unreadable()),
        Ok(Err(error)) if error.kind() == ErrorKind::TimedOut => {
            Err(Error::field("file", "takes too long to be read"))
        }
        Ok(Err(error)) => Err(of_disk(error)),
        // The decoder fell over it.
        Err(_) => Err(unreadable()),
    }
}
