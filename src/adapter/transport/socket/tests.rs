use super::*;
use tokio::io::DuplexStream;
use tokio_tungstenite::tungstenite::protocol::Role;

/// A socket of ours, and the other end of it.
async fn pair(max_frame: usize) -> (Socket, WebSocketStream<DuplexStream>) {
    let (ours, theirs) = tokio::io::duplex(4096);
    let ours =
        WebSocketStream::from_raw_socket(ours, Role::Server, Some(socket_config(max_frame))).await;
    (Socket::new(ours), WebSocketStream::from_raw_socket(theirs, Role::Client, None).await)
}

#[tokio::test]
async fn frames_go_both_ways_until_it_is_closed() {
    let (socket, mut peer) = pair(1024).await;
    let (mut reader, writer, writing) = socket.split(1024);
    let writing = tokio::spawn(writing);
    peer.send(Message::text("in")).await.unwrap();
    peer.send(Message::binary(&b"bytes of text"[..])).await.unwrap();
    assert_eq!(reader.next(None).await, Ok(TextFrame::Text("in".into())));
    assert_eq!(reader.next(None).await, Ok(TextFrame::Text("bytes of text".into())));
    writer.send("out".into()).unwrap();
    assert_eq!(peer.next().await.unwrap().unwrap(), Message::text("out"));
    writer.close();
    let Message::Close(Some(frame)) = peer.next().await.unwrap().unwrap() else { panic!() };
    assert_eq!(frame.code, CloseCode::Away);
    assert!(writer.send("late".into()).is_err());
    writing.await.unwrap();
}

#[test]
fn a_large_frame_may_take_as_long_as_its_upload() {
    let limit = |bytes| limit_for(bytes, Duration::from_millis(500));
    assert_eq!(limit(2_000), Duration::from_millis(500));
    assert_eq!(limit(16 << 20), Duration::from_millis(128_500));
}

#[tokio::test(start_paused = true)]
async fn a_large_frame_is_written_to_an_implementation_that_reads_slowly() {
    let (socket, mut peer) = pair(1024).await;
    let (mut reader, writer, writing) = socket.split(1024);
    let writing = tokio::spawn(writing);
    let reading = tokio::spawn(async move { reader.next(None).await });
    writer.send("v".repeat(16 << 20)).unwrap();
    tokio::time::sleep(IDLE_TIMEOUT + Duration::from_secs(20)).await;
    assert_eq!(peer.next().await.unwrap().unwrap().len(), 16 << 20);
    peer.send(Message::text("it has come")).await.unwrap();
    assert_eq!(reading.await.unwrap(), Ok(TextFrame::Text("it has come".into())));
    writer.close();
    writing.await.unwrap();
}

#[tokio::test]
async fn a_frame_over_the_limit_is_passed_over_and_one_far_over_it_refused() {
    let (socket, mut peer) = pair(1024).await;
    let (mut reader, writer, writing) = socket.split(1024);
    let writing = tokio::spawn(writing);
    peer.send(Message::text("x".repeat(2000))).await.unwrap();
    peer.send(Message::text("next")).await.unwrap();
    assert_eq!(reader.next(None).await, Ok(TextFrame::TooLarge("x".repeat(2000).into())));
    assert_eq!(reader.next(None).await, Ok(TextFrame::Text("next".into())));
    let sending = async {
        peer.send(Message::text("x".repeat(5000))).await.unwrap();
        peer
    };
    let reading = async {
        let closed = reader.next(None).await;
        assert!(matches!(closed, Err(SocketClosed::FrameTooLarge(_))), "{closed:?}");
        writer.close();
        // The rest of the frame is read, so that the implementation comes to its end.
        while let Some(Err(Error::Capacity(_))) = reader.frames.next().await {}
    };
    let (mut peer, ()) = tokio::join!(sending, async {
        let _ = timeout(CLOSE_TIMEOUT, reading).await;
    });
    let Message::Close(Some(frame)) = peer.next().await.unwrap().unwrap() else { panic!() };
    assert_eq!(frame.code, CloseCode::Size);
    writing.await.unwrap();
}

#[tokio::test]
async fn an_implementation_that_closes_with_1009_means_what_we_sent() {
    let (socket, mut peer) = pair(1024).await;
    let (mut reader, _writer, writing) = socket.split(1024);
    tokio::spawn(writing);
    let size = CloseFrame { code: CloseCode::Size, reason: Utf8Bytes::from_static("") };
    peer.send(Message::Close(Some(size))).await.unwrap();
    let closed = reader.next(None).await;
    assert!(matches!(closed, Err(SocketClosed::OursTooLarge(_))), "{closed:?}");
}

#[tokio::test(start_paused = true)]
async fn an_implementation_that_does_not_read_is_given_up() {
    let (socket, _peer) = pair(1024).await;
    let (mut reader, writer, writing) = socket.split(1024);
    let writing = tokio::spawn(writing);
    while writer.send("x".repeat(1000)).is_ok() {}
    assert_eq!(writer.send("one more".into()).err(), Some("the implementation does not read"));
    assert_eq!(
        reader.next(None).await,
        Err(SocketClosed::Lost("the implementation does not read".into()))
    );
    writing.await.unwrap();
}

#[tokio::test(start_paused = true)]
async fn an_implementation_that_is_silent_is_given_up() {
    let (socket, peer) = pair(1024).await;
    let (mut reader, _writer, writing) = socket.split(1024);
    tokio::spawn(writing);
    // It lives, but answers no ping.
    let silence = reader.next(None).await;
    assert_eq!(silence, Err(SocketClosed::Lost("the implementation fell silent".into())));
    drop(peer);
}
