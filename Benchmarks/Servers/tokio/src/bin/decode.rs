//! Line decoding without sockets: the standard library's `BufRead` over a reader that hands out chunks.

use std::io::{BufRead, BufReader, Read, Result};
use std::time::Instant;

const LINE: usize = 64;
const INPUT: usize = 1 << 20;

/// Endless lines, at most a chunk a read.
struct Chunks {
    data: Vec<u8>,
    size: usize,
    at: usize,
}

impl Read for Chunks {
    fn read(&mut self, buffer: &mut [u8]) -> Result<usize> {
        let n = buffer.len().min(self.size).min(INPUT - self.at);
        buffer[..n].copy_from_slice(&self.data[self.at..self.at + n]);
        self.at = (self.at + n) % INPUT;
        Ok(n)
    }
}

fn main() -> Result<()> {
    let arguments: Vec<String> = std::env::args().collect();
    let (codec, size, seconds): (_, usize, f64) = match arguments.as_slice() {
        [_, codec, size, seconds] => (codec, size.parse().expect("a size"), seconds.parse().expect("seconds")),
        _ => panic!("usage: decode lines|lineBytes CHUNK SECONDS"),
    };
    let data = (0..INPUT).map(|i| if i % LINE == LINE - 1 { b'\n' } else { b'x' }).collect();
    let mut reader = BufReader::with_capacity(size, Chunks { data, size, at: 0 });

    let (mut lines, mut bytes, mut elapsed) = (0, 0, 0.0);
    let (mut text, mut raw) = (String::new(), Vec::new());
    let start = Instant::now();
    while elapsed < seconds {
        for _ in 0..INPUT / LINE {
            if codec == "lines" {
                text.clear();
                bytes += reader.read_line(&mut text)? - 1;
            } else {
                raw.clear();
                bytes += reader.read_until(b'\n', &mut raw)? - 1;
            }
            lines += 1;
        }
        elapsed = start.elapsed().as_secs_f64();
    }
    assert_eq!(bytes, lines * (LINE - 1));
    println!(
        "{{\"megabytes_per_second\": {:.1}, \"ns_per_message\": {:.3}}}",
        (lines * LINE) as f64 / elapsed / 1e6,
        elapsed * 1e9 / lines as f64
    );
    Ok(())
}
