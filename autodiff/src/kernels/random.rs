//! Random numbers in bulk: the same bits on any number of threads.

use rand::rngs::ChaCha8Rng;
use rand::{Rng, SeedableRng};

use super::parallel;

/// Numbers drawn from one stretch of a stream. Depends on nothing, least of all on threads.
const PIECE: usize = 4096;
/// Words of a stretch, far more than rejected draws can use up.
const STRETCH: u32 = 32;

/// One of the streams of a seed.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Stream {
    pub(crate) seed: u64,
    pub(crate) number: u64,
}

impl Stream {
    /// Its numbers from the first on.
    pub(crate) fn begin(self) -> ChaCha8Rng {
        let mut rng = ChaCha8Rng::seed_from_u64(self.seed);
        rng.set_stream(self.number);
        rng
    }
}

/// Fills `out` from a stream, piece by piece; `draw` fills one piece.
fn pieces<T: Send>(
    stream: Stream,
    out: &mut [T],
    cost: usize,
    draw: impl Fn(&mut ChaCha8Rng, &mut [T]) + Sync + Send,
) {
    parallel::chunks_mut(out, PIECE, cost, |first, chunk| {
        for (i, piece) in chunk.chunks_mut(PIECE).enumerate() {
            let mut rng = stream.begin();
            rng.set_word_pos(((first + i) as u128) << STRETCH);
            draw(&mut rng, piece);
        }
    });
}

/// One number at a time, for laws that reject some draws.
pub(crate) fn fill<T: Send>(
    stream: Stream,
    out: &mut [T],
    draw: impl Fn(&mut ChaCha8Rng) -> T + Sync + Send,
) {
    pieces(stream, out, 8, |rng, piece| piece.iter_mut().for_each(|v| *v = draw(rng)));
}

/// From one 32-bit word each.
pub(crate) fn fill_words<T: Send>(
    stream: Stream,
    out: &mut [T],
    f: impl Fn(u32) -> T + Sync + Send,
) {
    pieces(stream, out, 4, |rng, piece| {
        let (mut bytes, mut words) = ([0u8; 4 * 256], [0u32; 256]);
        for block in piece.chunks_mut(256) {
            let len = block.len();
            rng.fill_bytes(&mut bytes[..4 * len]);
            for (word, bytes) in words.iter_mut().zip(bytes.as_chunks::<4>().0) {
                *word = u32::from_le_bytes(*bytes);
            }
            let words = &words[..len];
            for i in 0..len {
                block[i] = f(words[i]);
            }
        }
    });
}
