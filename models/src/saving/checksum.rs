//! CRC-32, which finds every flipped bit and every run of up to 32 altered ones.

/// CRC-32 as in zip and PNG (ISO 3309), eight bytes at a time (Kounavis and Berry 2005).
pub(crate) struct Crc(u32);

impl Crc {
    const TABLES: [[u32; 256]; 8] = tables();

    pub(crate) fn new() -> Crc {
        Crc(u32::MAX)
    }

    pub(crate) fn value(&self) -> u32 {
        !self.0
    }

    pub(crate) fn update(&mut self, bytes: &[u8]) {
        let (tables, mut crc) = (&Crc::TABLES, self.0);
        let mut chunks = bytes.chunks_exact(8);
        for chunk in &mut chunks {
            let low = crc ^ number(&chunk[..4]);
            crc = (0..4).fold(0, |sum, i| sum ^ tables[7 - i][(low >> (8 * i)) as usize & 255]);
            crc = (4..8).fold(crc, |sum, i| sum ^ tables[7 - i][usize::from(chunk[i])]);
        }
        for &byte in chunks.remainder() {
            crc = crc >> 8 ^ tables[0][(crc as usize ^ usize::from(byte)) & 255];
        }
        self.0 = crc;
    }
}

/// The number that bytes hold, the lowest first.
pub(crate) fn number(bytes: &[u8]) -> u32 {
    bytes.iter().rev().fold(0, |n, &b| n << 8 | u32::from(b))
}

/// `tables[k][b]`: what byte `b` does to the sum when `k` more bytes follow.
const fn tables() -> [[u32; 256]; 8] {
    let mut tables = [[0; 256]; 8];
    let mut byte = 0;
    while byte < 256 {
        let mut crc = byte as u32;
        let mut bit = 0;
        while bit < 8 {
            crc = (crc >> 1) ^ ((crc & 1) * 0xedb8_8320);
            bit += 1;
        }
        tables[0][byte] = crc;
        byte += 1;
    }
    // Table k needs the whole of table 0.
    let mut more = 1;
    while more < 8 {
        let mut byte = 0;
        while byte < 256 {
            let before = tables[more - 1][byte];
            tables[more][byte] = before >> 8 ^ tables[0][(before & 255) as usize];
            byte += 1;
        }
        more += 1;
    }
    tables
}

#[cfg(test)]
mod tests {
    use super::Crc;

    #[test]
    fn the_checksum_is_that_of_zip() {
        let sum = |bytes: &[u8]| {
            let mut crc = Crc::new();
            crc.update(bytes);
            crc.value()
        };
        assert_eq!(sum(b"123456789"), 0xcbf4_3926); // the standard's own check value
        assert_eq!(sum(b""), 0);
        assert_eq!(sum(b"The quick brown fox jumps over the lazy dog"), 0x414f_a339);
    }

    #[test]
    fn the_checksum_does_not_depend_on_where_writes_are_cut() {
        let bytes: Vec<u8> = (0..100).map(|i| (i * 37) as u8).collect();
        let mut whole = Crc::new();
        whole.update(&bytes);
        for cut in 0..bytes.len() {
            let mut parts = Crc::new();
            parts.update(&bytes[..cut]);
            parts.update(&bytes[cut..]);
            assert_eq!(parts.value(), whole.value());
        }
    }
}
