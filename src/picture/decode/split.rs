//! A JPEG in several passes, one of its components at a time (ITU-T T.81, annexes B and G).
//!
//! The decoder holds all coefficients of such a picture at once, 36 MB where 6 million pixels have all their chroma. Of
//! each component alone a grey picture can be made, in a third of that: its passes are copied, and what it shares with
//! others, which is the first coefficient of each block, is taken out of theirs bit by bit.

use std::io::{BufRead, Seek, SeekFrom};

use super::{NoPicture, Result};
use crate::limits;

/// A table that codes of up to 16 bits are looked up in: how many there are of each length, and what they mean.
struct Codes {
    /// Codes of 1 to 16 bits.
    counts: [u8; 16],
    /// What they mean, the shortest first.
    values: Vec<u8>,
}

/// What was read so far.
struct Splitter<R> {
    /// The file.
    reader: R,
    /// Which component is wanted.
    wanted: usize,
    /// The names of all.
    names: Vec<u8>,
    /// Blocks in a component.
    blocks: u32,
    /// Blocks between two restarts; 0 for none.
    interval: u32,
    /// Tables for first coefficients.
    tables: [Option<Codes>; 4],
    /// The grey picture.
    out: Vec<u8>,
}

/// What a pass says of itself.
struct Pass {
    /// For each component its number, and its two tables.
    parts: Vec<(usize, u8)>,
    /// First and last coefficient, and which bits of them.
    range: [u8; 3],
}

/// The grey picture of one component, all of which must be of the same size.
pub fn component(reader: &mut (impl BufRead + Seek), wanted: usize) -> Result<Vec<u8>> {
    reader.seek(SeekFrom::Start(2)).map_err(|_| NoPicture)?;
    let mut splitter = Splitter {
        reader,
        wanted,
        names: Vec::new(),
        blocks: 0,
        interval: 0,
        tables: [const { None }; 4],
        out: vec![0xff, 0xd8],
    };
    splitter.run()?;
    Ok(splitter.out)
}

impl<R: BufRead> Splitter<R> {
    /// Goes from segment to segment. What ends too early has what came before.
    fn run(&mut self) -> Result<()> {
        let mut next = self.marker();
        while let Some(marker) = next {
            if self.out.len() > limits::PICTURE_SPLIT_BYTES_MAX {
                return Err(NoPicture);
            }
            if marker == 0xd9 {
                break;
            }
            let Some(content) = self.segment() else { break };
            next = match marker {
                0xda => self.pass(&content)?,
                marker => {
                    self.head(marker, &content)?;
                    self.marker()
                }
            };
        }
        self.out.extend([0xff, 0xd9]);
        Ok(())
    }

    /// The next byte.
    fn byte(&mut self) -> Option<u8> {
        let byte = *self.reader.fill_buf().ok()?.first()?;
        self.reader.consume(1);
        Some(byte)
    }

    /// The next marker, whatever stands before it.
    fn marker(&mut self) -> Option<u8> {
        let mut before = self.byte()?;
        loop {
            let byte = self.byte()?;
            if before == 0xff && !matches!(byte, 0x00 | 0xff | 0xd0..=0xd7) {
                return Some(byte);
            }
            before = byte;
        }
    }

    /// The content of a segment.
    fn segment(&mut self) -> Option<Vec<u8>> {
        let length = u16::from_be_bytes([self.byte()?, self.byte()?]).checked_sub(2)?;
        let mut content = vec![0; length.into()];
        self.reader.read_exact(&mut content).ok()?;
        Some(content)
    }

    /// Writes a segment.
    fn put_segment(&mut self, marker: u8, content: &[u8]) {
        let length = u16::try_from(content.len() + 2).unwrap_or(u16::MAX);
        self.out.extend([0xff, marker]);
        self.out.extend(length.to_be_bytes());
        self.out.extend(content);
    }

    /// Takes a segment that stands between the passes.
    fn head(&mut self, marker: u8, content: &[u8]) -> Result<()> {
        match marker {
            0xc2 => return self.frame(content),
            0xc4 => self.read_tables(content).ok_or(NoPicture)?,
            0xdd => {
                let interval = content.first_chunk().ok_or(NoPicture)?;
                self.interval = u16::from_be_bytes(*interval).into();
            }
            0xdb => {}
            // Of no use to a decoder.
            0xe0..=0xef | 0xfe => return Ok(()),
            _ => return Err(NoPicture),
        }
        self.put_segment(marker, content);
        Ok(())
    }

    /// The frame, which becomes one of a single component.
    fn frame(&mut self, content: &[u8]) -> Result<()> {
        let [precision, a, b, c, d, count, parts @ ..] = content else { return Err(NoPicture) };
        let parts = parts.as_chunks::<3>().0;
        let is_alike = parts.iter().all(|part| part[1] == parts[0][1]);
        if parts.len() != usize::from(*count) || !is_alike || !self.names.is_empty() {
            return Err(NoPicture);
        }
        let [name, _, table] = *parts.get(self.wanted).ok_or(NoPicture)?;
        let across = |high, low| u32::from(u16::from_be_bytes([high, low])).div_ceil(8);
        self.blocks = across(*a, *b) * across(*c, *d);
        self.names = parts.iter().map(|part| part[0]).collect();
        self.put_segment(0xc2, &[*precision, *a, *b, *c, *d, 1, name, 0x11, table]);
        Ok(())
    }

    /// Tables of codes, of which only those for first coefficients are needed here.
    fn read_tables(&mut self, mut content: &[u8]) -> Option<()> {
        while let [place, rest @ ..] = content {
            let (counts, rest) = rest.split_first_chunk::<16>()?;
            let count = counts.iter().map(|count| usize::from(*count)).sum();
            let (values, rest) = rest.split_at_checked(count)?;
            if place >> 4 == 0 {
                let codes = Codes { counts: *counts, values: values.to_vec() };
                *self.tables.get_mut(usize::from(place & 15))? = Some(codes);
            }
            content = rest;
        }
        Some(())
    }

    /// A pass: left out, copied, or a part of it taken. Gives the marker behind it.
    fn pass(&mut self, content: &[u8]) -> Result<Option<u8>> {
        let pass = self.read_pass(content).ok_or(NoPicture)?;
        let Some((_, tables)) = pass.parts.iter().find(|(part, _)| *part == self.wanted) else {
            return Ok(self.marker());
        };
        let [first, last, bits] = pass.range;
        let name = *self.names.get(self.wanted).ok_or(NoPicture)?;
        self.put_segment(0xda, &[1, name, *tables, first, last, bits]);
        if pass.parts.len() == 1 {
            return self.copy();
        }
        // Only first coefficients are in a pass together.
        if last != 0 {
            return Err(NoPicture);
        }
        let mut bits = Bits::default();
        // What is broken shows what came before.
        let _or_as_far = self.take_part(&pass, &mut bits);
        bits.end(&mut self.out);
        Ok(bits.marker.or_else(|| self.marker()))
    }

    /// Understands the head of a pass.
    fn read_pass(&self, content: &[u8]) -> Option<Pass> {
        let (parts, range) = content.get(1..)?.split_at_checked(usize::from(content[0]) * 2)?;
        let number = |name| self.names.iter().position(|known| *known == name);
        let parts =
            parts.as_chunks().0.iter().map(|[name, tables]| Some((number(*name)?, *tables)));
        Some(Pass { parts: parts.collect::<Option<_>>()?, range: *range.first_chunk()? })
    }

    /// Copies what is coded up to the next marker.
    fn copy(&mut self) -> Result<Option<u8>> {
        loop {
            let Some(byte) = self.byte() else { return Ok(None) };
            if byte == 0xff {
                match self.byte() {
                    Some(behind @ (0x00 | 0xd0..=0xd7)) => self.out.extend([0xff, behind]),
                    Some(0xff) => {}
                    marker => return Ok(marker),
                }
            } else {
                self.out.push(byte);
            }
            if self.out.len() > limits::PICTURE_SPLIT_BYTES_MAX {
                return Err(NoPicture);
            }
        }
    }

    /// Takes out of a pass what is of the wanted component; `None` where it breaks off.
    fn take_part(&mut self, pass: &Pass, bits: &mut Bits) -> Option<()> {
        for block in 0..self.blocks {
            if self.interval > 0 && block > 0 && block % self.interval == 0 {
                self.restart(bits)?;
            }
            for (part, tables) in &pass.parts {
                let is_wanted = *part == self.wanted;
                if pass.range[2] >> 4 == 0 {
                    self.first_bits(usize::from(tables >> 4), is_wanted, bits)?;
                } else {
                    let bit = self.bit(bits)?;
                    self.put_bits(u32::from(bit), u32::from(is_wanted), bits);
                }
            }
        }
        Some(())
    }

    /// The first bits of a coefficient: a code that tells how many, and they.
    fn first_bits(&mut self, table: usize, is_wanted: bool, bits: &mut Bits) -> Option<()> {
        let (mut code, mut first, mut at) = (0_u32, 0_u32, 0_usize);
        for length in 1..=16_u32 {
            code = code << 1 | u32::from(self.bit(bits)?);
            let codes = self.tables.get(table)?.as_ref()?;
            let count = u32::from(codes.counts[length as usize - 1]);
            if let Some(number) = code.checked_sub(first).filter(|number| *number < count) {
                let more = u32::from(*codes.values.get(at + number as usize)?);
                if more > 11 {
                    return None;
                }
                let mut value = 0;
                for _ in 0..more {
                    value = value << 1 | u32::from(self.bit(bits)?);
                }
                if is_wanted {
                    self.put_bits(code, length, bits);
                    self.put_bits(value, more, bits);
                }
                return Some(());
            }
            first = (first + count) << 1;
            at += count as usize;
        }
        None
    }

    /// A restart, in the file and in what is made.
    fn restart(&mut self, bits: &mut Bits) -> Option<()> {
        bits.left = 0;
        let mut before = 0;
        let number = loop {
            let byte = self.byte()?;
            if before == 0xff && byte != 0 && byte != 0xff {
                break byte;
            }
            before = byte;
        };
        if !matches!(number, 0xd0..=0xd7) {
            bits.marker = Some(number);
            return None;
        }
        bits.end(&mut self.out);
        self.out.extend([0xff, number]);
        Some(())
    }

    /// The next bit of a pass.
    fn bit(&mut self, bits: &mut Bits) -> Option<bool> {
        if bits.left == 0 {
            bits.read = self.byte()?;
            if bits.read == 0xff {
                let behind = self.byte()?;
                if behind != 0 {
                    bits.marker = Some(behind).filter(|marker| !matches!(marker, 0xd0..=0xd7));
                    return None;
                }
            }
            bits.left = 8;
        }
        bits.left -= 1;
        Some(bits.read >> bits.left & 1 == 1)
    }

    /// Writes so many of the last bits of a number.
    fn put_bits(&mut self, value: u32, count: u32, bits: &mut Bits) {
        for place in (0..count).rev() {
            bits.put(value >> place & 1 == 1, &mut self.out);
        }
    }
}

/// Bits on their way from one pass to the other.
#[derive(Default)]
struct Bits {
    /// The byte that is read.
    read: u8,
    /// Bits of it that are left.
    left: u8,
    /// A marker that stood where bits should be.
    marker: Option<u8>,
    /// The byte that is written.
    written: u8,
    /// Bits in it.
    count: u8,
}

impl Bits {
    /// Writes one.
    fn put(&mut self, bit: bool, out: &mut Vec<u8>) {
        self.written = self.written << 1 | u8::from(bit);
        self.count += 1;
        if self.count == 8 {
            out.push(self.written);
            if self.written == 0xff {
                out.push(0);
            }
            (self.written, self.count) = (0, 0);
        }
    }

    /// Fills up the last byte.
    fn end(&mut self, out: &mut Vec<u8>) {
        while self.count > 0 {
            self.put(true, out);
        }
    }
}
