//! What is said over one connection.

use std::io;
use std::net::TcpStream;
use std::sync::Arc;

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use rustls::ServerConfig;

use super::stream::Stream;
use super::{PASSWORD, Received, Shared, Trouble, USER, Way};

struct Talk<'a> {
    stream: Stream,
    way: Way,
    trouble: Trouble,
    user: Option<String>,
    from: Option<String>,
    to: Vec<String>,
    shared: &'a Shared,
}

/// Talks until the client takes leave or goes.
pub(super) fn talk(
    socket: TcpStream,
    way: Way,
    config: &Arc<ServerConfig>,
    shared: &Shared,
) -> io::Result<()> {
    let trouble = *shared.trouble.lock().unwrap();
    let mut stream = Stream::Plain(socket);
    if way == Way::Tls {
        stream = stream.secured(config.clone())?;
    }
    if trouble == Trouble::SaysNothing {
        // Until the client has enough of it.
        return stream.line().map(drop);
    }
    let mut talk = Talk {
        stream,
        way,
        trouble,
        user: None,
        from: None,
        to: Vec::new(),
        shared,
    };
    talk.stream.say("220 mail.example.com ESMTP")?;
    loop {
        let line = talk.stream.line()?;
        let line = String::from_utf8_lossy(&line).into_owned();
        let word = line
            .split([' ', ':'])
            .next()
            .unwrap_or("")
            .to_ascii_uppercase();
        match word.as_str() {
            "EHLO" => talk.hello()?,
            "STARTTLS" => {
                talk.stream.say("220 go ahead")?;
                talk.stream = talk.stream.secured(config.clone())?;
            }
            "AUTH" => talk.login(&line)?,
            "MAIL" => talk.mail(&line)?,
            "RCPT" => talk.recipient(&line)?,
            "DATA" => talk.content()?,
            "NOOP" => talk.stream.say("250 OK")?,
            "QUIT" => return talk.stream.say("221 good night"),
            _ => talk.stream.say("502 unknown command")?,
        }
    }
}

impl Talk<'_> {
    fn hello(&mut self) -> io::Result<()> {
        self.stream.say("250-mail.example.com")?;
        let offers = self.way == Way::StartTls && self.trouble != Trouble::OffersNoTls;
        if offers && !self.stream.is_secured() {
            self.stream.say("250-STARTTLS")?;
        }
        if self.stream.is_secured() || self.way == Way::Plain {
            self.stream.say("250-AUTH PLAIN LOGIN")?;
        }
        self.stream.say("250 SIZE 10485760")
    }

    fn login(&mut self, line: &str) -> io::Result<()> {
        let mut words = line.split(' ').skip(1);
        let login = match (words.next(), words.next()) {
            (Some("PLAIN"), Some(token)) => {
                let token = decoded(token);
                let mut parts = token.split('\0').skip(1).map(str::to_owned);
                parts.next().zip(parts.next())
            }
            (Some("LOGIN"), None) => {
                self.stream.say("334 VXNlcm5hbWU6")?;
                let user = self.stream.line()?;
                self.stream.say("334 UGFzc3dvcmQ6")?;
                let password = self.stream.line()?;
                let text = |line: Vec<u8>| decoded(&String::from_utf8_lossy(&line));
                Some((text(user), text(password)))
            }
            _ => None,
        };
        let good = login.as_ref().is_some_and(|(user, password)| {
            user == USER && password == PASSWORD && self.trouble != Trouble::RefusesLogin
        });
        if good {
            self.user = login.map(|(user, _)| user);
            self.stream.say("235 welcome")
        } else {
            let (_, password) = login.unwrap_or_default();
            self.stream.say(&format!("535 wrong: {password}"))
        }
    }

    fn mail(&mut self, line: &str) -> io::Result<()> {
        if self.user.is_none() && self.way != Way::Plain {
            return self.stream.say("530 log in first");
        }
        self.from = Some(line.to_owned());
        self.to.clear();
        self.stream.say("250 OK")
    }

    fn recipient(&mut self, line: &str) -> io::Result<()> {
        if self.trouble == Trouble::RefusesRecipient {
            return self.stream.say("550 5.1.1 no such\tuser here");
        }
        let address = line.split(['<', '>']).nth(1).unwrap_or("");
        self.to.push(address.to_owned());
        self.stream.say("250 OK")
    }

    fn content(&mut self) -> io::Result<()> {
        if self.from.is_none() || self.to.is_empty() {
            return self.stream.say("503 to whom?");
        }
        self.stream.say("354 go on")?;
        let mut content = Vec::new();
        loop {
            let line = self.stream.line()?;
            if self.trouble == Trouble::HangsUp {
                return Err(io::ErrorKind::ConnectionAborted.into());
            }
            if line == b"." {
                break;
            }
            content.extend(line.strip_prefix(b".").unwrap_or(&line));
            content.extend(b"\r\n");
        }
        if self.trouble == Trouble::HasNoRoom {
            return self.stream.say("452 no room for now");
        }
        self.shared.received.lock().unwrap().push(Received {
            to: std::mem::take(&mut self.to),
            secured: self.stream.is_secured(),
            user: self.user.clone(),
            content,
        });
        self.stream.say("250 taken")
    }
}

fn decoded(base64: &str) -> String {
    let bytes = STANDARD.decode(base64).unwrap_or_default();
    String::from_utf8_lossy(&bytes).into_owned()
}
