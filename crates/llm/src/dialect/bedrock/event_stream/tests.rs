use super::*;

/// A frame with a header of each type, put together by hand. botocore 1.44.8 reads it: `EventStreamBuffer.add_data` and
/// iterating give the headers true, false, -1, 7, 7, 0, `b"ab"`, `"x"`, a time and a UUID, and the payload `{}`.
const ALL_TYPES: &str = "000000810000006f34a93a820379657300026e6f01046279746502ff0573686f727403000703696e740400000007046c6f6e6705\
    000000000000000005627974657306000261620b3a6576656e742d74797065070001780474696d65080000000000000000047575696409\
    000102030405060708090a0b0c0d0e0f7b7d3c269a1f";

/// What botocore 1.44.8 reads as the headers and the payload of the test that uses it.
const ONE_FRAME: &str = "0000005c00000035ce7239800d3a6d6573736167652d747970650700056576656e740b3a6576656e742d74797065070010636f6e74656e74426c6f636b53746f707b22636f6e74656e74426c6f636b496e646578223a307d2e146015";

fn read_all(pieces: &[&[u8]]) -> Result<Vec<Frame>, Broken> {
    let mut frames = Frames::default();
    let mut read = Vec::new();
    for piece in pieces {
        frames.push(piece);
        while let Some(frame) = frames.next()? {
            read.push(frame);
        }
    }
    Ok(read)
}

fn some_frame() -> Vec<u8> {
    write_frame(
        &[(":message-type", "event"), (":event-type", "contentBlockStop")],
        br#"{"contentBlockIndex":0}"#,
    )
}

/// With both checksums made right again.
fn resealed(mut frame: Vec<u8>) -> Vec<u8> {
    let prelude = crc32fast::hash(&frame[..8]).to_be_bytes();
    frame[8..12].copy_from_slice(&prelude);
    let end = frame.len() - 4;
    let whole = crc32fast::hash(&frame[..end]).to_be_bytes();
    frame[end..].copy_from_slice(&whole);
    frame
}

#[test]
fn a_frame_is_written_as_aws_writes_it() {
    assert_eq!(hex::encode(some_frame()), ONE_FRAME);
}

#[test]
fn headers_of_all_types_are_passed_over() {
    let bytes = hex::decode(ALL_TYPES).expect("hexadecimal");

    let frames = read_all(&[&bytes]).expect("frames");

    let frame = frames.first().expect("a frame");
    assert_eq!(frame.header(":event-type"), Some("x"));
    assert_eq!((frame.header("bytes"), frame.header("none")), (None, None));
    assert_eq!(&frame.payload[..], b"{}");
}

#[test]
fn frames_are_whole_wherever_the_bytes_are_cut() {
    let two = [some_frame(), write_frame(&[], b"")].concat();
    for at in 0..=two.len() {
        let (one, other) = two.split_at(at);

        let frames = read_all(&[one, other]).expect("frames");

        let payloads: Vec<_> = frames.iter().map(|frame| &frame.payload[..]).collect();
        assert_eq!(payloads, [&br#"{"contentBlockIndex":0}"#[..], b""], "cut at {at}");
    }
}

#[test]
fn damage_is_noticed_wherever_it_is() {
    let frame = some_frame();
    for at in 0..frame.len() {
        let mut damaged = frame.clone();
        damaged[at] ^= 0x10;

        assert_eq!(read_all(&[&damaged]).err(), Some(Broken::Checksum), "damaged at {at}");
    }
}

#[test]
fn lengths_that_cannot_be_are_not_waited_for() {
    let check = |total: u32, headers: u32, expected: Broken| {
        let mut frame = some_frame();
        frame[..4].copy_from_slice(&total.to_be_bytes());
        frame[4..8].copy_from_slice(&headers.to_be_bytes());
        let frame = resealed(frame);
        assert_eq!(read_all(&[&frame[..12]]).err(), Some(expected), "{total} {headers}");
    };

    check(16 * 1024 * 1024 + 1, 0, Broken::TooLarge);
    check(u32::MAX, u32::MAX, Broken::TooLarge);
    check(15, 0, Broken::Lengths);
    check(0, 0, Broken::Lengths);
    check(100, 85, Broken::Lengths);
}

#[test]
fn headers_that_make_no_sense_are_refused() {
    let check = |headers: &[u8]| {
        let total = PRELUDE + headers.len() + CHECKSUM;
        let mut frame = vec![0; PRELUDE];
        frame[3] = u8::try_from(total).expect("a small frame");
        frame[7] = u8::try_from(headers.len()).expect("few headers");
        frame.extend_from_slice(headers);
        frame.extend([0; CHECKSUM]);
        assert_eq!(
            read_all(&[&resealed(frame)]).err(),
            Some(Broken::Headers),
            "{headers:?}"
        );
    };

    check(&[5, b'a']);
    check(&[1, b'a']);
    check(&[1, b'a', 10]);
    check(&[1, b'a', 4, 0, 0]);
    check(&[1, b'a', TEXT, 0]);
    check(&[1, b'a', TEXT, 0, 9, b'x']);
    check(&[1, b'a', TEXT, 0, 1, 0xff]);
}

#[test]
fn headers_that_are_too_long_are_cut() {
    let long = "n".repeat(300);
    let bytes = write_frame(&[(&long, "v")], b"{}");

    let frames = read_all(&[&bytes]).expect("frames");

    let frame = frames.first().expect("a frame");
    assert_eq!(frame.header(&long[..255]), Some("v"));
}
