//! The built user interface, embedded.
//!
//! What it is for: hosts serve these files. What it does not know: anything else; there is no logic here.
//! `cargo xtask ui` builds the files into `dist/`; without them [`is_built`] is false and hosts say so.

use rust_embed::RustEmbed;
use std::borrow::Cow;

#[derive(RustEmbed)]
#[folder = "dist"]
#[allow_missing = true]
struct Dist;

/// One file of the user interface.
pub struct Asset {
    /// Its bytes.
    pub bytes: Cow<'static, [u8]>,
    /// Its media type.
    pub media_type: &'static str,
    /// Whether its name holds a hash of its content, so that it may be cached for ever.
    pub immutable: bool,
}

/// The page of the browser on this machine.
pub const WEB: &str = "web/index.html";

/// The page of a phone.
pub const MOBILE: &str = "mobile/index.html";

/// How to get a user interface when none is embedded.
pub const HOW_TO_BUILD: &str = "This build has no user interface. Build one with `cargo xtask ui` (needs Node), \
     then start again. The command line works without it.";

/// Whether the user interface was built before this program.
pub fn is_built() -> bool {
    Dist::get(WEB).is_some()
}

/// The file at `path`, relative and without a leading slash.
pub fn get(path: &str) -> Option<Asset> {
    let file = Dist::get(path)?;
    Some(Asset { bytes: file.data, media_type: media_type(path), immutable: path.starts_with("assets/") })
}

fn media_type(path: &str) -> &'static str {
    match path.rsplit_once('.').map_or("", |(_, extension)| extension) {
        "html" => "text/html; charset=utf-8",
        "js" => "text/javascript; charset=utf-8",
        "css" => "text/css; charset=utf-8",
        "svg" => "image/svg+xml",
        "png" => "image/png",
        "json" | "webmanifest" => "application/json",
        "woff2" => "font/woff2",
        "txt" => "text/plain; charset=utf-8",
        _ => "application/octet-stream",
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_path_that_is_not_a_file_of_the_interface_gives_nothing() {
        for path in ["../Cargo.toml", "/etc/passwd", "", "assets/"] {
            assert!(get(path).is_none(), "{path:?}");
        }
    }

    #[test]
    fn every_embedded_file_has_a_media_type() {
        for path in Dist::iter().filter(|p| !p.ends_with(".map")) {
            assert_ne!(media_type(&path), "application/octet-stream", "{path}");
        }
    }
}
