//! Objects whose known fields are read where they go, and whose others are kept as they are.
//!
//! `#[serde(flatten)]` means the same. But it copies every object into a tree of its own before it looks at a field, and an
//! answer has thousands of these objects: that was half of what reading one cost.

use std::borrow::Cow;
use std::fmt;
use std::marker::PhantomData;

use serde::de::{Error as _, MapAccess, Visitor};
use serde::{Deserialize, Deserializer};

use crate::Extra;

/// An object that may have fields this version does not know.
pub(crate) trait OpenObject: Sized {
    /// Without a field.
    fn empty() -> Self;

    /// Reads the value of a field that is known; `false` for any other, whose value is left to be read.
    fn read<'de, A: MapAccess<'de>>(&mut self, name: &str, fields: &mut A) -> Result<bool, A::Error>;

    /// Where the other fields go.
    fn others(&mut self) -> &mut Extra;
}

/// Reads an object. Of a field that stands twice the last value counts.
pub(crate) fn read<'de, T: OpenObject, D: Deserializer<'de>>(deserializer: D) -> Result<T, D::Error> {
    deserializer.deserialize_map(Reading(PhantomData))
}

struct Reading<T>(PhantomData<T>);

/// A name, borrowed wherever no escape stands in it.
#[derive(Deserialize)]
struct Name<'n>(#[serde(borrow)] Cow<'n, str>);

impl<'de, T: OpenObject> Visitor<'de> for Reading<T> {
    type Value = T;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("an object")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut fields: A) -> Result<T, A::Error> {
        let mut object = T::empty();
        while let Some(Name(name)) = fields.next_key()? {
            if !object.read(&name, &mut fields)? {
                let value = fields.next_value()?;
                object.others().insert(name, value);
                if object.others().len() > Extra::MOST {
                    let message =
                        format!("an object has more than {} fields that are not known", Extra::MOST);
                    return Err(A::Error::custom(message));
                }
            }
        }
        Ok(object)
    }
}

/// `Deserialize` and [`OpenObject`] for a struct with `Default` and a field `extra`: the names of its fields on the wire, and
/// where each goes.
macro_rules! open_object {
    ($object:ty, $empty:expr, { $($name:literal => $field:ident),* $(,)? }) => {
        impl $crate::open_object::OpenObject for $object {
            fn empty() -> Self {
                $empty
            }

            fn read<'de, A: serde::de::MapAccess<'de>>(
                &mut self,
                name: &str,
                fields: &mut A,
            ) -> Result<bool, A::Error> {
                match name {
                    $($name => self.$field = fields.next_value()?,)*
                    _ => return Ok(false),
                }
                Ok(true)
            }

            fn others(&mut self) -> &mut $crate::Extra {
                &mut self.extra
            }
        }

        impl<'de> serde::Deserialize<'de> for $object {
            fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
                $crate::open_object::read(deserializer)
            }
        }
    };
}
pub(crate) use open_object;
