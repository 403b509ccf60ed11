//! A small HTTP server for fakes: a thread for each connection, and answers that can be faulty.

use serde_json::Value;
use std::collections::HashMap;
use std::io::{BufRead, BufReader, Read, Write};
use std::net::{Shutdown, TcpListener, TcpStream};
use std::sync::Arc;
use std::time::Duration;

/// A request as it came.
pub struct Request {
    pub method: String,
    pub path: String,
    pub query: HashMap<String, String>,
    /// Names in lower case.
    pub headers: HashMap<String, String>,
    pub body: Vec<u8>,
    stream: TcpStream,
}

impl Request {
    pub fn json(&self) -> Value {
        serde_json::from_slice(&self.body).unwrap_or(Value::Null)
    }

    pub fn header(&self, name: &str) -> &str {
        self.headers.get(name).map_or("", String::as_str)
    }

    /// Whether the client has closed the connection.
    pub fn is_gone(&self) -> bool {
        self.stream.set_read_timeout(Some(Duration::from_millis(1))).unwrap();
        let gone = matches!(self.stream.peek(&mut [0]), Ok(0));
        self.stream.set_read_timeout(None).unwrap();
        gone
    }
}

/// An answer.
pub enum Answer {
    Json(Value),
    Raw {
        status: u16,
        headers: Vec<(&'static str, String)>,
        body: Vec<u8>,
    },
    /// The head and half of the body, then the end of the connection.
    Half(Value),
    /// The end of the connection, without a word.
    Drop,
}

impl Answer {
    pub fn status(status: u16) -> Self {
        Self::Raw { status, headers: Vec::new(), body: Vec::new() }
    }
}

/// Serves on a free port until the process ends; gives the address.
pub fn serve(handle: Arc<dyn Fn(&Request) -> Answer + Send + Sync>) -> String {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = listener.local_addr().unwrap().to_string();
    std::thread::spawn(move || {
        for stream in listener.incoming().flatten() {
            let handle = handle.clone();
            std::thread::spawn(move || connection(stream, &*handle));
        }
    });
    address
}

fn connection(stream: TcpStream, handle: &(dyn Fn(&Request) -> Answer + Send + Sync)) {
    stream.set_nodelay(true).unwrap();
    let mut reader = BufReader::new(stream.try_clone().unwrap());
    while let Some(request) = read(&mut reader, &stream) {
        let is_answered = match handle(&request) {
            Answer::Json(value) => {
                let head = head(200, &[], value.to_string().len());
                (&stream).write_all((head + &value.to_string()).as_bytes()).is_ok()
            }
            Answer::Raw { status, headers, body } => {
                let head = head(status, &headers, body.len());
                (&stream).write_all(head.as_bytes()).is_ok() && (&stream).write_all(&body).is_ok()
            }
            Answer::Half(value) => {
                let text = value.to_string();
                let head = head(200, &[], text.len());
                let _ = (&stream).write_all((head + &text[..text.len() / 2]).as_bytes());
                false
            }
            Answer::Drop => false,
        };
        if !is_answered {
            break;
        }
    }
    let _ = stream.shutdown(Shutdown::Both);
}

fn head(status: u16, headers: &[(&str, String)], length: usize) -> String {
    let more: String = headers.iter().map(|(name, value)| format!("{name}: {value}\r\n")).collect();
    format!("HTTP/1.1 {status} x\r\nContent-Length: {length}\r\n{more}\r\n")
}

fn read(reader: &mut BufReader<TcpStream>, stream: &TcpStream) -> Option<Request> {
    let mut line = String::new();
    reader.read_line(&mut line).ok().filter(|n| *n > 0)?;
    let mut words = line.split_whitespace();
    let (method, target) = (words.next()?.to_owned(), words.next()?.to_owned());
    let mut headers = HashMap::new();
    loop {
        let mut line = String::new();
        reader.read_line(&mut line).ok().filter(|n| *n > 0)?;
        let Some((name, value)) = line.trim().split_once(':') else { break };
        headers.insert(name.to_lowercase(), value.trim().to_owned());
    }
    let length = headers.get("content-length").map_or(0, |length| length.parse().unwrap());
    let mut body = vec![0; length];
    reader.read_exact(&mut body).ok()?;
    let (path, query) = target.split_once('?').unwrap_or((&target, ""));
    let query = url::form_urlencoded::parse(query.as_bytes()).into_owned().collect();
    let stream = stream.try_clone().unwrap();
    Some(Request { method, path: path.to_owned(), query, headers, body, stream })
}
