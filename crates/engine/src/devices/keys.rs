//! The keys of this engine, in a file that only its user can read.

use crate::Env;
use crate::data_dir::write_private;
use relay::keys::{DeviceKeys, SecretBytes};
use std::io;
use std::path::Path;
use zeroize::Zeroizing;

/// Reads the keys, or makes them. A file that cannot be read is an error and is left alone: new keys would silently
/// unpair every device.
pub(super) fn load_or_make(path: &Path, env: &Env) -> io::Result<DeviceKeys> {
    match std::fs::read_to_string(path) {
        Ok(text) => {
            let text = Zeroizing::new(text);
            let damaged = || io::Error::new(io::ErrorKind::InvalidData, "the device's keys cannot be read");
            let mut bytes = SecretBytes::new([0; 64]);
            hex::decode_to_slice(text.trim(), bytes.as_mut_slice()).map_err(|_| damaged())?;
            Ok(DeviceKeys::from_secret(&bytes))
        }
        Err(e) if e.kind() == io::ErrorKind::NotFound => {
            let keys = DeviceKeys::generate(&env.random);
            let text = Zeroizing::new(hex::encode(keys.to_secret().as_slice()));
            write_private(path, &text)?;
            Ok(keys)
        }
        Err(e) => Err(e),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn keys_are_made_once_and_a_damaged_file_is_left_alone() {
        let home = tempfile::tempdir().unwrap();
        let path = home.path().join("device.key");
        let made = load_or_make(&path, &Env::system()).unwrap();
        let again = load_or_make(&path, &Env::system()).unwrap();
        assert_eq!(made.public(), again.public());
        std::fs::write(&path, "zz").unwrap();
        assert!(load_or_make(&path, &Env::system()).is_err());
        assert_eq!(std::fs::read_to_string(&path).unwrap(), "zz");
    }
}
