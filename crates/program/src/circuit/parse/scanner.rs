//! Lines and fields of a netlist.

use super::ParseError;

/// Walks over the fields of a text. Stands on a field, on a line's end, or on a comment after each call.
#[derive(Clone, Copy)]
pub(super) struct Scanner<'a> {
    bytes: &'a [u8],
    position: usize,
    /// The line of the present position, from 1.
    pub(super) line: usize,
}

impl<'a> Scanner<'a> {
    pub(super) fn new(bytes: &'a [u8]) -> Self {
        let bytes = bytes.strip_prefix(b"\xef\xbb\xbf").unwrap_or(bytes); // a byte order mark
        let mut scanner = Self {
            bytes,
            position: 0,
            line: 1,
        };
        scanner.skip_blanks();
        scanner
    }

    fn peek(&self) -> Option<u8> {
        self.bytes.get(self.position).copied()
    }

    pub(super) fn rest_bytes(&self) -> u64 {
        (self.bytes.len() - self.position) as u64
    }

    fn skip_blanks(&mut self) {
        while let Some(b' ' | b'\t' | b'\r') = self.peek() {
            self.position += 1;
        }
    }

    pub(super) fn at_digit(&self) -> bool {
        self.peek().is_some_and(|byte| byte.is_ascii_digit())
    }

    pub(super) fn at_line_end(&self) -> bool {
        match self.peek() {
            None | Some(b'\n' | b'#') => true,
            Some(b'/') => self.bytes.get(self.position + 1) == Some(&b'/'),
            Some(_) => false,
        }
    }

    /// Goes on to the next field, over line ends and comments. Returns false at the end of the file.
    pub(super) fn seek_field(&mut self) -> bool {
        while self.at_line_end() {
            let rest = &self.bytes[self.position..];
            match rest.iter().position(|&byte| byte == b'\n') {
                Some(length) => self.position += length + 1,
                None => {
                    self.position = self.bytes.len();
                    return false;
                }
            }
            self.line += 1;
            self.skip_blanks();
        }
        true
    }

    /// Takes the field at which the scanner stands, and the blanks after it.
    pub(super) fn field(&mut self) -> &'a [u8] {
        let start = self.position;
        while let Some(byte) = self.peek() {
            if matches!(byte, b' ' | b'\t' | b'\r' | b'\n') {
                break;
            }
            self.position += 1;
        }
        let field = &self.bytes[start..self.position];
        self.skip_blanks();
        field
    }

    /// Takes the number at which the scanner stands, and the blanks after it. Errors name the gate `gate`.
    pub(super) fn number(&mut self, gate: Option<usize>) -> Result<u64, ParseError> {
        let (start, line) = (*self, self.line);
        let mut value = Some(0_u64);
        while let Some(byte @ b'0'..=b'9') = self.peek() {
            value = value.and_then(|v| v.checked_mul(10)?.checked_add(u64::from(byte - b'0')));
            self.position += 1;
        }
        let ends = matches!(self.peek(), None | Some(b' ' | b'\t' | b'\r' | b'\n'));
        if !ends || self.position == start.position {
            *self = start;
            return Err(ParseError::NotANumber {
                line,
                gate,
                found: shorten(self.field()),
            });
        }
        self.skip_blanks();
        value.ok_or_else(|| {
            let field = start.clone().field();
            ParseError::NumberTooBig {
                line,
                gate,
                found: shorten(field),
            }
        })
    }

    /// Takes the next line with fields: its number, and its fields, at least one.
    pub(super) fn header_line(&mut self) -> Result<(usize, Vec<u64>), ParseError> {
        if !self.seek_field() {
            return Err(ParseError::TruncatedHeader { line: self.line });
        }
        let line = self.line;
        let mut fields = Vec::new();
        while !self.at_line_end() {
            fields.push(self.number(None)?);
        }
        Ok((line, fields))
    }

    /// Returns whether there is another line with fields, and all are numbers.
    pub(super) fn next_line_is_numeric(mut self) -> bool {
        if !self.seek_field() {
            return false;
        }
        while !self.at_line_end() {
            if !self.field().iter().all(u8::is_ascii_digit) {
                return false;
            }
        }
        true
    }
}

/// A field as an error shows it: at most 24 characters, whatever the bytes are.
pub(super) fn shorten(field: &[u8]) -> String {
    const MOST: usize = 24;
    let text = String::from_utf8_lossy(&field[..field.len().min(4 * MOST)]);
    match text.char_indices().nth(MOST) {
        Some((end, _)) => format!("{}…", &text[..end]),
        None => text.into_owned(),
    }
}
