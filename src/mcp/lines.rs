//! Messages of the protocol as lines, for `rechat mcp`. The SDK ignores a line that is not JSON;
//! here every line that needs an answer gets one (JSON-RPC 2.0, section 5.1).

use bytes::BytesMut;
use futures_util::future::BoxFuture;
use futures_util::{FutureExt, SinkExt, StreamExt};
use rmcp::RoleServer;
use rmcp::model::{ClientJsonRpcMessage, ErrorCode, ServerJsonRpcMessage};
use rmcp::transport::Transport;
use serde_json::{Value, json};
use std::io;
use std::sync::Arc;
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::sync::Mutex;
use tokio_util::codec::{Decoder, FramedRead, FramedWrite, LinesCodec, LinesCodecError};

/// The most bytes of a line from an agent.
const MAX_LINE: usize = 4 << 20;

/// Reads a message of an agent.
///
/// # Errors
///
/// It is no message: the answer to it, where it asks for one.
pub fn read_message(text: &[u8]) -> Result<ClientJsonRpcMessage, Option<Value>> {
    if let Ok(message) = serde_json::from_slice(text) {
        return Ok(message);
    }
    let Ok(value) = serde_json::from_slice::<Value>(text) else {
        return Err(Some(refusal(ErrorCode::PARSE_ERROR, "this is no JSON", &Value::Null)));
    };
    let id = value.get("id").filter(|id| id.is_string() || id.is_number());
    if id.is_none() && value.get("method").is_some_and(Value::is_string) {
        // An unknown notification.
        return Err(None);
    }
    let text = "this is no request of JSON-RPC 2.0";
    Err(Some(refusal(ErrorCode::INVALID_REQUEST, text, id.unwrap_or(&Value::Null))))
}

fn refusal(code: ErrorCode, text: &str, id: &Value) -> Value {
    json!({"jsonrpc": "2.0", "id": id, "error": {"code": code, "message": text}})
}

/// Lines in both directions.
pub struct MessageLines<R, W> {
    input: FramedRead<R, BoundedLines>,
    output: Arc<Mutex<Option<FramedWrite<W, LinesCodec>>>>,
    /// The answer to an invalid line, while it is being written.
    refusing: Option<BoxFuture<'static, io::Result<()>>>,
}

impl<R: AsyncRead, W: AsyncWrite + Send + Unpin + 'static> MessageLines<R, W> {
    /// Lines between a client that writes to `input` and reads from `output`.
    pub fn new(input: R, output: W) -> Self {
        let lines = BoundedLines(LinesCodec::new_with_max_length(MAX_LINE));
        let output = FramedWrite::new(output, LinesCodec::new());
        Self {
            input: FramedRead::new(input, lines),
            output: Arc::new(Mutex::new(Some(output))),
            refusing: None,
        }
    }

    fn write(&self, line: String) -> impl Future<Output = io::Result<()>> + Send + 'static {
        let output = self.output.clone();
        async move {
            let mut output = output.lock().await;
            let output = output.as_mut().ok_or(io::ErrorKind::NotConnected)?;
            output.send(line).await.map_err(io::Error::other)
        }
    }
}

impl<R, W> Transport<RoleServer> for MessageLines<R, W>
where
    R: AsyncRead + Send + Unpin + 'static,
    W: AsyncWrite + Send + Unpin + 'static,
{
    type Error = io::Error;

    fn send(
        &mut self,
        message: ServerJsonRpcMessage,
    ) -> impl Future<Output = io::Result<()>> + Send + 'static {
        let line = serde_json::to_string(&message);
        let written = line.map(|line| self.write(line));
        async move { written?.await }
    }

    /// May be dropped at any point, and called again.
    async fn receive(&mut self) -> Option<ClientJsonRpcMessage> {
        loop {
            if let Some(refusing) = &mut self.refusing {
                let written = refusing.await;
                self.refusing = None;
                written.ok()?;
            }
            let line = match self.input.next().await? {
                Ok(line) => line,
                Err(error) => {
                    tracing::error!("the agent's input cannot be read: {error}");
                    return None;
                }
            };
            let read = line.map_or_else(|refused| Err(Some(refused)), |line| read_line(&line));
            match read {
                Ok(message) => return Some(message),
                Err(None) => {}
                Err(Some(answer)) => {
                    self.refusing = Some(self.write(answer.to_string()).boxed());
                }
            }
        }
    }

    async fn close(&mut self) -> io::Result<()> {
        self.output.lock().await.take();
        Ok(())
    }
}

fn read_line(line: &str) -> Result<ClientJsonRpcMessage, Option<Value>> {
    // Some programs begin with a byte order mark.
    let line = line.trim_start_matches('\u{feff}');
    if line.trim().is_empty() {
        return Err(None);
    }
    read_message(line.as_bytes())
}

/// Lines, or the answers to lines that cannot be read.
struct BoundedLines(LinesCodec);

impl BoundedLines {
    fn answered(
        line: Result<Option<String>, LinesCodecError>,
    ) -> io::Result<Option<Result<String, Value>>> {
        let refused = |code, text: &str| Ok(Some(Err(refusal(code, text, &Value::Null))));
        match line {
            Ok(line) => Ok(line.map(Ok)),
            Err(LinesCodecError::MaxLineLengthExceeded) => {
                refused(ErrorCode::INVALID_REQUEST, "this line has more than 4 MiB")
            }
            Err(LinesCodecError::Io(error)) if error.kind() == io::ErrorKind::InvalidData => {
                refused(ErrorCode::PARSE_ERROR, "this line is not in UTF-8")
            }
            Err(LinesCodecError::Io(error)) => Err(error),
        }
    }
}

impl Decoder for BoundedLines {
    type Item = Result<String, Value>;
    type Error = io::Error;

    fn decode(&mut self, bytes: &mut BytesMut) -> io::Result<Option<Self::Item>> {
        Self::answered(self.0.decode(bytes))
    }

    fn decode_eof(&mut self, bytes: &mut BytesMut) -> io::Result<Option<Self::Item>> {
        Self::answered(self.0.decode_eof(bytes))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use tokio::io::{AsyncBufReadExt, AsyncWriteExt, BufReader, duplex, split};

    fn answer(text: &str) -> Option<Value> {
        read_message(text.as_bytes()).unwrap_err()
    }

    #[test]
    fn what_is_no_message_is_answered_by_its_kind() {
        assert!(read_message(br#"{"jsonrpc":"2.0","id":1,"method":"ping"}"#).is_ok());
        let code = |text: &str| {
            let answer = answer(text).unwrap();
            (answer["error"]["code"].as_i64().unwrap(), answer["id"].clone())
        };
        for broken in ["no JSON", "{", r#"{"jsonrpc": "2.0", "id": 1, "method": "ping"#, "\u{0}"] {
            assert_eq!(code(broken), (-32700, Value::Null), "{broken}");
        }
        for wrong in ["5", "[1, 2]", "{}", r#"{"id": {}}"#, r#"{"jsonrpc": "2.0", "id": null}"#] {
            assert_eq!(code(wrong), (-32600, Value::Null), "{wrong}");
        }
        assert_eq!(code(r#"{"jsonrpc": "2.0", "id": 7, "method": 1}"#), (-32600, json!(7)));
        assert_eq!(code(r#"{"id": "a", "method": "ping"}"#), (-32600, json!("a")));
        assert_eq!(answer(r#"{"method": "textDocument/didOpen"}"#), None);
    }

    #[tokio::test]
    async fn lines_that_cannot_be_read_are_answered_and_the_next_is_read() {
        let (agent, own) = duplex(1 << 16);
        let (input, output) = split(own);
        let mut lines = MessageLines::new(input, output);
        let (told, mut tell) = split(agent);
        let written = tokio::spawn(async move {
            tell.write_all(&vec![b'x'; MAX_LINE + 1]).await.unwrap();
            tell.write_all(b"\n\xff\xfe\n\nnonsense\n\xef\xbb\xbf").await.unwrap();
            tell.write_all(b"{\"jsonrpc\":\"2.0\",\"id\":1,\"method\":\"ping\"}\n").await.unwrap();
            tell.shutdown().await.unwrap();
        });
        let message = lines.receive().await.unwrap();
        assert!(matches!(message, ClientJsonRpcMessage::Request(_)), "{message:?}");
        written.await.unwrap();
        assert!(lines.receive().await.is_none());
        lines.close().await.unwrap();
        drop(lines);
        let mut told = BufReader::new(told).lines();
        for code in [-32600, -32700, -32700] {
            let line = told.next_line().await.unwrap().unwrap();
            let answer: Value = serde_json::from_str(&line).unwrap();
            assert_eq!((&answer["error"]["code"], &answer["id"]), (&json!(code), &Value::Null));
        }
        assert_eq!(told.next_line().await.unwrap(), None);
    }
}
