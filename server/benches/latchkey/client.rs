//! The least of an HTTP/1.1 client: one connection, requests one after another.

use std::net::SocketAddr;

use tokio::{
    io::{AsyncBufReadExt, AsyncReadExt, AsyncWriteExt, BufReader},
    net::TcpStream,
};

/// The content type of forms.
pub(crate) const FORM: &str = "application/x-www-form-urlencoded";
/// The content type of JSON.
pub(crate) const JSON: &str = "application/json";

pub(crate) struct Client {
    host: SocketAddr,
    /// Lines that every request has, each with its line break.
    lines: String,
    stream: BufReader<TcpStream>,
}

pub(crate) struct Answer {
    pub(crate) status: u16,
    pub(crate) location: String,
    pub(crate) body: String,
}

impl Client {
    pub(crate) async fn connect(host: SocketAddr) -> Self {
        let stream = TcpStream::connect(host).await.expect("connected");
        stream.set_nodelay(true).expect("no delay");
        Self { host, lines: String::new(), stream: BufReader::new(stream) }
    }

    /// Connections that carry a secret key of a site.
    pub(crate) async fn connect_all(host: SocketAddr, number: usize, key: &str) -> Vec<Self> {
        let mut clients = Vec::new();
        for _ in 0..number {
            let mut client = Self::connect(host).await;
            client.carry("authorization", &format!("Bearer {key}"));
            clients.push(client);
        }
        clients
    }

    /// Has every further request carry a header in place of the one before.
    pub(crate) fn carry(&mut self, name: &str, value: &str) {
        self.lines = format!("{name}: {value}\r\n");
    }

    pub(crate) async fn get(&mut self, path: &str) -> Answer {
        let Self { host, lines, .. } = self;
        let request = format!("GET {path} HTTP/1.1\r\nhost: {host}\r\n{lines}\r\n");
        self.ask(&request).await
    }

    pub(crate) async fn post(&mut self, path: &str, content_type: &str, body: &str) -> Answer {
        let (Self { host, lines, .. }, length) = (&self, body.len());
        let request = format!(
            "POST {path} HTTP/1.1\r\nhost: {host}\r\norigin: http://{host}\r\n{lines}\
             content-type: {content_type}\r\ncontent-length: {length}\r\n\r\n{body}"
        );
        self.ask(&request).await
    }

    async fn ask(&mut self, request: &str) -> Answer {
        self.stream.get_mut().write_all(request.as_bytes()).await.expect("sent");
        let mut line = String::new();
        self.stream.read_line(&mut line).await.expect("a status line");
        let status = line.split(' ').nth(1).and_then(|status| status.parse().ok());
        let mut answer = Answer {
            status: status.expect("a status"),
            location: String::new(),
            body: String::new(),
        };
        let mut length = 0;
        loop {
            line.clear();
            self.stream.read_line(&mut line).await.expect("a header line");
            let Some((name, value)) = line.trim_end().split_once(": ") else {
                if line.trim_end().is_empty() {
                    break;
                }
                continue;
            };
            match name {
                "content-length" => length = value.parse().expect("a length"),
                "location" => value.clone_into(&mut answer.location),
                _ => {}
            }
        }
        let mut body = vec![0; length];
        self.stream.read_exact(&mut body).await.expect("a body");
        answer.body = String::from_utf8(body).expect("text");
        answer
    }
}
