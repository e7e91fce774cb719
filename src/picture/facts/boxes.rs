//! Files of boxes in boxes, as films and Apple's pictures are (ISO/IEC 14496-12): found by their heads alone.

use super::window::Window;

/// One box.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Box {
    /// What it is.
    pub kind: [u8; 4],
    /// Where its content begins.
    pub start: u64,
    /// Where it ends.
    pub end: u64,
}

impl Box {
    /// Bytes of its content.
    pub fn length(&self) -> u64 {
        self.end - self.start
    }

    /// What is in it from here on.
    pub fn inside(&self, skipped: u64) -> Boxes {
        Boxes { at: self.start.saturating_add(skipped), end: self.end }
    }
}

/// Boxes one after another.
#[derive(Clone, Copy, Debug)]
pub struct Boxes {
    /// Where the next one begins.
    at: u64,
    /// Where the last one ends.
    end: u64,
}

impl Boxes {
    /// Those of a whole file.
    pub fn of(window: &Window<'_>) -> Self {
        Self { at: 0, end: window.size() }
    }

    /// The next one; `None` at the end, and where there is none.
    pub fn next(&mut self, window: &mut Window<'_>) -> Option<Box> {
        let at = self.at;
        if self.end.checked_sub(at)? < 8 {
            return None;
        }
        let [s0, s1, s2, s3, kind @ ..] = window.bytes::<8>(at)?;
        let (head, size) = match u32::from_be_bytes([s0, s1, s2, s3]) {
            0 => (8, self.end - at),
            1 => (16, u64::from_be_bytes(window.bytes(at + 8)?)),
            size => (8, u64::from(size)),
        };
        // One that reaches beyond what it is in is as long as there is.
        let end = at.checked_add(size)?.min(self.end);
        let start = at + head;
        if start > end {
            return None;
        }
        self.at = end;
        Some(Box { kind, start, end })
    }

    /// The first one of a kind.
    pub fn find(mut self, window: &mut Window<'_>, kind: [u8; 4]) -> Option<Box> {
        loop {
            let found = self.next(window)?;
            if found.kind == kind {
                return Some(found);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The kinds and lengths of the boxes in these bytes.
    fn kinds(bytes: &[u8]) -> Vec<(String, u64)> {
        let mut window = Window::new(&bytes, bytes.len() as u64, 1 << 20);
        let mut boxes = Boxes::of(&window);
        let mut kinds = Vec::new();
        while let Some(found) = boxes.next(&mut window) {
            kinds.push((String::from_utf8_lossy(&found.kind).into_owned(), found.length()));
        }
        kinds
    }

    #[test]
    fn boxes_have_three_ways_to_say_how_long_they_are() {
        let bytes = b"\0\0\0\x0aabcd12\0\0\0\x01efgh\0\0\0\0\0\0\0\x11!\0\0\0\0ijklrest";
        let wanted =
            [("abcd", 2), ("efgh", 1), ("ijkl", 4)].map(|(kind, length)| (kind.into(), length));
        assert_eq!(kinds(bytes), wanted);
    }

    #[test]
    fn what_is_no_box_ends_the_row() {
        for bytes in
            [&b""[..], b"\0\0\0\x08abc", b"\0\0\0\x07abcd", b"\0\0\0\x01abcd\0\0\0\0\0\0\0\x0f"]
        {
            assert_eq!(kinds(bytes), []);
        }
        assert_eq!(kinds(b"\xff\xff\xff\xffabcd1"), [("abcd".into(), 1)]);
        assert_eq!(kinds(b"\0\0\0\x01abcd\xff\xff\xff\xff\xff\xff\xff\xff1").len(), 1);
    }
}
