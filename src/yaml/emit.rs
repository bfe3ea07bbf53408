//! Values as YAML that readers of version 1.1 and 1.2 take for the same.

use serde::Serialize;
use serde_yaml::ser_options;

/// Why a value could not be written.
pub type EmitError = serde_yaml::SerializeError;

/// A value as a YAML document, with a final newline.
///
/// # Errors
/// A value that YAML has no form for, such as a mapping with a list as key.
pub fn emit(value: &impl Serialize) -> Result<String, EmitError> {
    // Block scalars are off: one that begins with a tab is refused by libyaml's readers.
    let options = ser_options! { prefer_block_scalars: false };
    serde_yaml::to_string_with_options(value, options)
}
