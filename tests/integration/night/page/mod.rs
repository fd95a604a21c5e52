//! The page of `nightferry serve`, after real nights, over real sockets.

mod access;
mod figures;
mod names;
mod rejected;
mod whole;

use std::collections::BTreeMap;
use std::io::{BufRead, BufReader, Read, Write};
use std::net::TcpStream;
use std::process::{Child, Command, Stdio};
use std::thread;

use sha2::{Digest, Sha256};

use super::Harbour;

const READER: &str = "token-of-one-who-reads";
const SENDER: &str = "token-of-one-who-only-sends";

/// A harbour whose page is shown.
struct Shown {
    process: Child,
    address: String,
    session: String,
}

/// What was answered.
#[derive(Debug)]
struct Answer {
    status: u16,
    fields: BTreeMap<String, String>,
    body: String,
}

/// A harbour with a page, and `lines` more in its section.
fn harbour(lines: &str) -> Harbour {
    let token = |id: &str, token: &str, right: &str| {
        let hash = base16ct::lower::encode_string(&Sha256::digest(token));
        format!("[[serve.token]]\nid = \"{id}\"\nsha256 = \"{hash}\"\n{right}\n")
    };
    let settings = format!(
        "time_zone = \"Asia/Shanghai\"\n[serve]\nlisten = \"127.0.0.1:0\"\n{lines}\n{}{}",
        token("reader", READER, "read = true"),
        token("sender", SENDER, "send = \"all\""),
    );
    Harbour::with(&settings, "")
}

impl Shown {
    /// Brings the page up, and signs in unless it is open.
    fn at(harbour: &Harbour) -> Self {
        let mut shown = Self::without_session(harbour);
        let answer = shown.sign_in(READER, "/");
        if let Some(cookie) = answer.fields.get("set-cookie") {
            cookie
                .split(';')
                .next()
                .unwrap()
                .clone_into(&mut shown.session);
        }
        shown
    }

    fn without_session(harbour: &Harbour) -> Self {
        let mut process = Command::new(env!("CARGO_BIN_EXE_nightferry"))
            .arg("--config")
            .arg(harbour.config())
            .arg("serve")
            .stderr(Stdio::piped())
            .spawn()
            .unwrap();
        let mut lines = BufReader::new(process.stderr.take().unwrap()).lines();
        let address = loop {
            let line = lines.next().expect("it says where it listens").unwrap();
            if let Some((_, address)) = line.split_once("listening on ") {
                break address.trim().to_owned();
            }
        };
        // What it says later must not fill the pipe.
        thread::spawn(move || lines.for_each(drop));
        let session = String::new();
        Self {
            process,
            address,
            session,
        }
    }

    fn send(&self, request: &str) -> Answer {
        let mut stream = TcpStream::connect(&self.address).unwrap();
        stream.write_all(request.as_bytes()).unwrap();
        let mut answer = Vec::new();
        stream.read_to_end(&mut answer).unwrap();
        Answer::parse(&String::from_utf8(answer).unwrap())
    }

    /// Fetches a path with these fields more.
    fn get_with(&self, path: &str, fields: &str) -> Answer {
        self.send(&format!(
            "GET {path} HTTP/1.1\r\nHost: {}\r\nConnection: close\r\n{fields}\r\n",
            self.address
        ))
    }

    fn get(&self, path: &str) -> Answer {
        let cookie = match self.session.as_str() {
            "" => String::new(),
            session => format!("Cookie: a=b; {session}\r\n"),
        };
        self.get_with(path, &cookie)
    }

    /// What a page that is there says.
    fn page(&self, path: &str) -> String {
        let answer = self.get(path);
        assert_eq!(answer.status, 200, "{path}: {answer:?}");
        answer.body
    }

    fn post(&self, path: &str, body: &str) -> Answer {
        let cookie = &self.session;
        self.send(&format!(
            "POST {path} HTTP/1.1\r\nHost: {}\r\nConnection: close\r\nCookie: {cookie}\r\n\
             Content-Type: application/x-www-form-urlencoded\r\nContent-Length: {}\r\n\r\n{body}",
            self.address,
            body.len()
        ))
    }

    fn sign_in(&self, token: &str, next: &str) -> Answer {
        let form: String = url::form_urlencoded::Serializer::new(String::new())
            .append_pair("token", token)
            .append_pair("next", next)
            .finish();
        self.post("/sign-in", &form)
    }
}

impl Drop for Shown {
    fn drop(&mut self) {
        drop(self.process.kill());
        drop(self.process.wait());
    }
}

impl Answer {
    fn parse(text: &str) -> Self {
        let (head, body) = text.split_once("\r\n\r\n").unwrap();
        let mut lines = head.lines();
        let status = lines.next().unwrap().split(' ').nth(1).unwrap();
        let fields = lines.filter_map(|line| line.split_once(": "));
        let fields = fields.map(|(name, value)| (name.to_ascii_lowercase(), value.to_owned()));
        Self {
            status: status.parse().unwrap(),
            fields: fields.collect(),
            body: body.to_owned(),
        }
    }

    fn field(&self, name: &str) -> &str {
        self.fields.get(name).map_or("", String::as_str)
    }
}

/// The words of a page, one blank between them, without its marks.
fn words(page: &str) -> String {
    let mut text = String::new();
    let mut is_mark = false;
    for character in page.chars() {
        match character {
            '<' => is_mark = true,
            '>' => {
                is_mark = false;
                text.push(' ');
            }
            _ if is_mark => {}
            other => text.push(other),
        }
    }
    text.split_whitespace().collect::<Vec<_>>().join(" ")
}

/// The addresses to which links of a page lead that hold `part`.
fn links(page: &str, part: &str) -> Vec<String> {
    let hrefs = page.split("href=\"").skip(1);
    let hrefs = hrefs.map(|rest| rest.split('"').next().unwrap().replace("&amp;", "&"));
    hrefs.filter(|href| href.contains(part)).collect()
}
