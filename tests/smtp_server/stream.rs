//! A connection that may become TLS.

use std::io::{self, Read, Write};
use std::net::TcpStream;
use std::sync::Arc;

use rustls::{ServerConfig, ServerConnection, StreamOwned};

pub enum Stream {
    Plain(TcpStream),
    Tls(Box<StreamOwned<ServerConnection, TcpStream>>),
}

impl Stream {
    /// The same connection, from now on as TLS.
    pub fn secured(self, config: Arc<ServerConfig>) -> io::Result<Self> {
        match self {
            Self::Plain(socket) => {
                let connection = ServerConnection::new(config).map_err(io::Error::other)?;
                Ok(Self::Tls(Box::new(StreamOwned::new(connection, socket))))
            }
            Self::Tls(_) => Err(io::Error::other("it is TLS already")),
        }
    }

    pub const fn is_secured(&self) -> bool {
        matches!(self, Self::Tls(_))
    }

    /// The next line, without its end. Byte by byte: nothing of what follows
    /// STARTTLS may be read before it.
    pub fn line(&mut self) -> io::Result<Vec<u8>> {
        let mut line = Vec::new();
        let mut byte = [0];
        loop {
            let read = match self {
                Self::Plain(socket) => socket.read(&mut byte)?,
                Self::Tls(tls) => tls.read(&mut byte)?,
            };
            match (read, byte) {
                (0, _) => return Err(io::ErrorKind::UnexpectedEof.into()),
                (_, [b'\n']) => break,
                (_, [other]) => line.push(other),
            }
        }
        if line.last() == Some(&b'\r') {
            line.pop();
        }
        Ok(line)
    }

    pub fn say(&mut self, words: &str) -> io::Result<()> {
        let words = format!("{words}\r\n");
        match self {
            Self::Plain(socket) => socket.write_all(words.as_bytes()),
            Self::Tls(tls) => {
                tls.write_all(words.as_bytes())?;
                tls.flush()
            }
        }
    }
}
