//! The least of an HTTP/1.1 client: one connection, requests one after another.

use std::{
    io::{BufRead, BufReader, Read, Write},
    net::{SocketAddr, TcpStream},
};

pub(crate) struct Client {
    host: SocketAddr,
    stream: BufReader<TcpStream>,
}

pub(crate) struct Answer {
    pub(crate) location: String,
    pub(crate) body: String,
}

impl Answer {
    /// The verification that a started flow was redirected to.
    pub(crate) fn verification(&self) -> String {
        self.location.strip_prefix("/v/").expect("a redirect to the verification").to_owned()
    }
}

impl Client {
    pub(crate) fn connect(host: SocketAddr) -> Self {
        let stream = TcpStream::connect(host).expect("connected");
        stream.set_nodelay(true).expect("no delay");
        Self { host, stream: BufReader::new(stream) }
    }

    pub(crate) fn get(&mut self, path: &str) -> Answer {
        self.ask(&format!("GET {path} HTTP/1.1\r\nhost: {}\r\n\r\n", self.host))
    }

    pub(crate) fn post(&mut self, path: &str, content_type: &str, body: &str) -> Answer {
        let (host, length) = (self.host, body.len());
        self.ask(&format!(
            "POST {path} HTTP/1.1\r\nhost: {host}\r\norigin: http://{host}\r\n\
             content-type: {content_type}\r\ncontent-length: {length}\r\n\r\n{body}"
        ))
    }

    fn ask(&mut self, request: &str) -> Answer {
        self.stream.get_mut().write_all(request.as_bytes()).expect("sent");
        let mut answer = Answer { location: String::new(), body: String::new() };
        let mut length = 0;
        let mut line = String::new();
        loop {
            line.clear();
            self.stream.read_line(&mut line).expect("a header line");
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
        self.stream.read_exact(&mut body).expect("a body");
        answer.body = String::from_utf8(body).expect("text");
        answer
    }
}
