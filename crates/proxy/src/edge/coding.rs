//! Bodies that come compressed, as agents may send theirs when a conversation has grown long. What comes out is bounded
//! like any other body, and is read piece by piece: the thread serves others in between.

use std::io::Read;

use bytes::Bytes;
use flate2::read::MultiGzDecoder;
use gatewright_llm::BadRequest;
use ruzstd::decoding::StreamingDecoder;

use crate::refusal::Refusal;

const PIECE_BYTES: usize = 256 << 10;
/// What every decoder of zstd has to provide for, and none has to go beyond (RFC 8878).
const ZSTD_WINDOW_BYTES: u64 = 8 << 20;

/// How a body is compressed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Coding {
    Gzip,
    Zstd,
}

impl Coding {
    /// Of a `content-encoding`; `None` for a body that comes as it is.
    pub(super) fn of(header: Option<&str>) -> Result<Option<Self>, Refusal> {
        let Some(name) = header else {
            return Ok(None);
        };
        match name.trim().to_ascii_lowercase().as_str() {
            "" | "identity" => Ok(None),
            "gzip" | "x-gzip" => Ok(Some(Self::Gzip)),
            "zstd" => Ok(Some(Self::Zstd)),
            _ => Err(bad(
                "the request body is compressed in a way that is not known here; send it as gzip or zstd, or as it is",
            )),
        }
    }

    pub(super) async fn decode(self, compressed: &[u8], limit_bytes: usize) -> Result<Bytes, Refusal> {
        match self {
            Self::Gzip => self.read(MultiGzDecoder::new(compressed), limit_bytes).await,
            Self::Zstd => match StreamingDecoder::new_with_max_window_size(compressed, ZSTD_WINDOW_BYTES) {
                Ok(decoder) => self.read(decoder, limit_bytes).await,
                Err(_) => Err(self.broken()),
            },
        }
    }

    async fn read(self, mut decoder: impl Read, limit_bytes: usize) -> Result<Bytes, Refusal> {
        let mut whole = Vec::new();
        let mut piece = vec![0; PIECE_BYTES];
        loop {
            let count = decoder.read(&mut piece).map_err(|_| self.broken())?;
            if count == 0 {
                return Ok(whole.into());
            }
            if whole.len() + count > limit_bytes {
                return Err(Refusal::BodyTooLarge { limit_bytes });
            }
            whole.extend_from_slice(piece.get(..count).unwrap_or_default());
            tokio::task::yield_now().await;
        }
    }

    fn broken(self) -> Refusal {
        let name = match self {
            Self::Gzip => "gzip",
            Self::Zstd => "zstd",
        };
        bad(&format!(
            "the request body is not what its 'content-encoding' says: it cannot be read as {name}"
        ))
    }
}

fn bad(message: &str) -> Refusal {
    Refusal::BadRequest(BadRequest::new(message))
}

#[cfg(test)]
mod tests {
    use std::io::Write as _;

    use flate2::Compression;
    use flate2::write::GzEncoder;
    use ruzstd::encoding::{CompressionLevel, compress_to_vec};

    use super::*;

    fn compressed(coding: Coding, body: &[u8]) -> Vec<u8> {
        match coding {
            Coding::Gzip => {
                let mut encoder = GzEncoder::new(Vec::new(), Compression::fast());
                encoder.write_all(body).expect("it is written to memory");
                encoder.finish().expect("it is written to memory")
            }
            Coding::Zstd => compress_to_vec(body, CompressionLevel::Fastest),
        }
    }

    #[actix_web::test]
    async fn a_compressed_body_is_read_and_bounded() {
        for coding in [Coding::Gzip, Coding::Zstd] {
            let body = vec![b'a'; 3 * PIECE_BYTES + 1];
            let sent = compressed(coding, &body);
            assert!(sent.len() < body.len() / 100, "{coding:?}");

            let whole = coding.decode(&sent, body.len()).await;
            let bounded = coding.decode(&sent, body.len() - 1).await;

            assert!(whole.is_ok_and(|whole| whole == body), "{coding:?}");
            assert!(matches!(bounded, Err(Refusal::BodyTooLarge { .. })), "{coding:?}");
        }
    }

    #[actix_web::test]
    async fn what_is_not_compressed_as_it_says_is_a_bad_request() {
        for coding in [Coding::Gzip, Coding::Zstd] {
            let mut cut = compressed(coding, br#"{"model":"m","messages":[]}"#);
            cut.truncate(cut.len() / 2);
            for sent in [&cut[..], b"{\"model\":\"m\"}"] {
                let read = coding.decode(sent, 99).await;
                assert!(matches!(read, Err(Refusal::BadRequest(_))), "{coding:?}: {read:?}");
            }
        }
    }

    #[test]
    fn codings_have_names() {
        let of = |name| Coding::of(Some(name)).ok().flatten();

        assert_eq!(of("GZIP"), Some(Coding::Gzip));
        assert_eq!(of(" zstd "), Some(Coding::Zstd));
        assert!(matches!(Coding::of(None), Ok(None)));
        assert!(matches!(Coding::of(Some("identity")), Ok(None)));
        for unknown in ["br", "deflate", "gzip, zstd"] {
            assert!(
                matches!(Coding::of(Some(unknown)), Err(Refusal::BadRequest(_))),
                "{unknown}"
            );
        }
    }
}
