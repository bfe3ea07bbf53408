//! From a tree to Rust types, by serde; an error knows the place of the node it is about.

use std::fmt;

use serde::de::{self, DeserializeSeed, IntoDeserializer, Visitor};

use super::{Entry, Kind, Node, Scalar};
use crate::source::Span;

/// Why a tree does not fit a type.
#[derive(Debug)]
pub struct DecodeError {
    /// Where, if it is known yet.
    pub span: Option<Span>,
    /// What serde says.
    pub message: String,
}

/// Reads a tree as a type.
///
/// Scalars are taken for what YAML says they are: a quoted `"5"` is no number, and `5` no text.
///
/// # Errors
/// The first place that does not fit.
pub fn decode<T: de::DeserializeOwned>(node: &Node) -> Result<T, DecodeError> {
    T::deserialize(Reader(node))
}

impl fmt::Display for DecodeError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.message)
    }
}

impl std::error::Error for DecodeError {}

impl de::Error for DecodeError {
    fn custom<T: fmt::Display>(message: T) -> Self {
        Self {
            span: None,
            message: message.to_string(),
        }
    }
}

impl DecodeError {
    fn at(mut self, span: Span) -> Self {
        self.span.get_or_insert(span);
        self
    }
}

/// Up to here a float holds every whole number.
const WHOLE: f64 = (1_u64 << f64::MANTISSA_DIGITS) as f64;

#[derive(Clone, Copy)]
struct Reader<'n>(&'n Node);

/// The key that says which variant of an enum with fields a mapping is.
const KIND: &str = "kind";

impl<'de> de::Deserializer<'de> for Reader<'_> {
    type Error = DecodeError;

    fn deserialize_any<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, DecodeError> {
        let read = match &self.0.kind {
            Kind::Scalar { text, plain } => match Scalar::resolve(text, *plain) {
                Scalar::Null => visitor.visit_unit(),
                Scalar::Bool(value) => visitor.visit_bool(value),
                Scalar::Integer(value) => visitor.visit_i64(value),
                // `1.0` is a whole number to JSON Schema, and so it is here.
                Scalar::Float(value) if value.fract() == 0.0 && value.abs() <= WHOLE => {
                    visitor.visit_i64(value as i64)
                }
                Scalar::Float(value) => visitor.visit_f64(value),
                Scalar::Text(value) => visitor.visit_str(value),
            },
            Kind::Sequence(items) => visitor.visit_seq(Items(items.iter())),
            Kind::Mapping(entries) => visitor.visit_map(Entries::of(entries)),
        };
        read.map_err(|error| error.at(self.0.span))
    }

    fn deserialize_option<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, DecodeError> {
        // A key that is written must be given a value: `trust:` alone is a slip, not a default.
        visitor.visit_some(self)
    }

    fn deserialize_newtype_struct<V: Visitor<'de>>(
        self,
        _name: &'static str,
        visitor: V,
    ) -> Result<V::Value, DecodeError> {
        visitor.visit_newtype_struct(self)
    }

    fn deserialize_enum<V: Visitor<'de>>(
        self,
        _name: &'static str,
        _variants: &'static [&'static str],
        visitor: V,
    ) -> Result<V::Value, DecodeError> {
        let read = match (
            self.0.scalar(),
            self.0.get(KIND).map(|kind| (kind, kind.scalar())),
        ) {
            (Some(Scalar::Text(word)), _) => visitor.visit_enum(word.into_deserializer()),
            (_, Some((kind, Some(Scalar::Text(word))))) => visitor.visit_enum(Tagged {
                kind,
                word,
                whole: self.0,
            }),
            _ => Err(de::Error::custom(
                "expected a word, or a mapping with a `kind`",
            )),
        };
        read.map_err(|error: DecodeError| error.at(self.0.span))
    }

    /// A list is no struct, though serde would take its items for the fields in their order.
    fn deserialize_struct<V: Visitor<'de>>(
        self,
        _name: &'static str,
        _fields: &'static [&'static str],
        visitor: V,
    ) -> Result<V::Value, DecodeError> {
        match self.0.is_sequence() {
            true => {
                let error: DecodeError = de::Error::custom("expected a mapping");
                Err(error.at(self.0.span))
            }
            false => self.deserialize_any(visitor),
        }
    }

    serde::forward_to_deserialize_any! {
        bool i8 i16 i32 i64 i128 u8 u16 u32 u64 u128 f32 f64 char str string bytes byte_buf unit
        unit_struct seq tuple tuple_struct map identifier ignored_any
    }
}

struct Items<'n>(std::slice::Iter<'n, Node>);

impl<'de> de::SeqAccess<'de> for Items<'_> {
    type Error = DecodeError;

    fn next_element_seed<T: DeserializeSeed<'de>>(
        &mut self,
        seed: T,
    ) -> Result<Option<T::Value>, DecodeError> {
        self.0
            .next()
            .map(|item| seed.deserialize(Reader(item)))
            .transpose()
    }

    fn size_hint(&self) -> Option<usize> {
        Some(self.0.len())
    }
}

struct Entries<'n> {
    rest: std::slice::Iter<'n, Entry>,
    open: Option<&'n Entry>,
    /// A key that is not shown.
    without: Option<&'static str>,
}

impl<'n> Entries<'n> {
    fn of(entries: &'n [Entry]) -> Self {
        Self {
            rest: entries.iter(),
            open: None,
            without: None,
        }
    }
}

/// A mapping whose `kind` names a variant, and whose other entries are the variant's fields.
///
/// Serde's own way for such enums reads everything into a buffer first, in which places are lost,
/// lists pass for structs, and null for a field that is left out.
struct Tagged<'n> {
    kind: &'n Node,
    word: &'n str,
    whole: &'n Node,
}

impl<'de> de::EnumAccess<'de> for Tagged<'_> {
    type Error = DecodeError;
    type Variant = Self;

    fn variant_seed<T: DeserializeSeed<'de>>(
        self,
        seed: T,
    ) -> Result<(T::Value, Self), DecodeError> {
        let variant = seed.deserialize(de::value::StrDeserializer::<DecodeError>::new(self.word));
        let variant = variant.map_err(|error| error.at(self.kind.span))?;
        Ok((variant, self))
    }
}

impl<'de> de::VariantAccess<'de> for Tagged<'_> {
    type Error = DecodeError;

    fn unit_variant(self) -> Result<(), DecodeError> {
        Err(de::Error::custom("a word stands alone, without `kind`"))
    }

    fn newtype_variant_seed<T: DeserializeSeed<'de>>(
        self,
        seed: T,
    ) -> Result<T::Value, DecodeError> {
        let entries = Entries {
            without: Some(KIND),
            ..Entries::of(self.whole.entries())
        };
        let fields = de::value::MapAccessDeserializer::new(entries);
        seed.deserialize(fields)
            .map_err(|error| error.at(self.whole.span))
    }

    fn tuple_variant<V: Visitor<'de>>(
        self,
        _length: usize,
        _visitor: V,
    ) -> Result<V::Value, DecodeError> {
        Err(de::Error::custom("a kind has named fields"))
    }

    fn struct_variant<V: Visitor<'de>>(
        self,
        _fields: &'static [&'static str],
        _visitor: V,
    ) -> Result<V::Value, DecodeError> {
        Err(de::Error::custom("a kind has a type of its own"))
    }
}

impl<'de> de::MapAccess<'de> for Entries<'_> {
    type Error = DecodeError;

    fn next_key_seed<T: DeserializeSeed<'de>>(
        &mut self,
        seed: T,
    ) -> Result<Option<T::Value>, DecodeError> {
        self.open = self.rest.find(|entry| self.without != Some(&*entry.key));
        let Some(entry) = self.open else {
            return Ok(None);
        };
        let key = seed.deserialize(de::value::StrDeserializer::<DecodeError>::new(&entry.key));
        key.map(Some).map_err(|error| error.at(entry.key_span))
    }

    fn next_value_seed<T: DeserializeSeed<'de>>(
        &mut self,
        seed: T,
    ) -> Result<T::Value, DecodeError> {
        match self.open.take() {
            Some(entry) => seed.deserialize(Reader(&entry.value)),
            None => Err(de::Error::custom("a value without its key")),
        }
    }
}
