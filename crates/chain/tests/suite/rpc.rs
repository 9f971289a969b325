//! What a node's RPC server may answer, from a small server on loopback.

use std::io::{BufRead, BufReader, ErrorKind, Read, Write};
use std::net::{TcpListener, TcpStream};
use std::thread::JoinHandle;

use tapcourt_chain::{ChainError, ChainView, Credentials, Node};

/// Reads one request, and returns its head.
fn read_request(stream: &TcpStream) -> String {
    read_whole_request(stream).0
}

/// Reads one request, and returns its head and its body.
fn read_whole_request(stream: &TcpStream) -> (String, Vec<u8>) {
    let mut reader = BufReader::new(stream);
    let (mut head, mut length) = (String::new(), 0);
    loop {
        let mut line = String::new();
        reader.read_line(&mut line).expect("a line of the head");
        if line.trim().is_empty() {
            break;
        }
        if let Some(bytes) = line.to_lowercase().strip_prefix("content-length:") {
            length = bytes.trim().parse().expect("a length");
        }
        head.push_str(&line);
    }
    let mut body = vec![0; length];
    reader.read_exact(&mut body).expect("the body");
    (head, body)
}

/// Answers one request with these bytes. Returns the address, and the request's head when it has
/// come.
fn answer_one(answer: Vec<u8>) -> (String, JoinHandle<String>) {
    let listener = TcpListener::bind("127.0.0.1:0").expect("a free port");
    let url = format!("http://{}", listener.local_addr().expect("an address"));
    let server = std::thread::spawn(move || {
        let (mut stream, _) = listener.accept().expect("a caller");
        let head = read_request(&stream);
        let _ = stream.write_all(&answer); // a caller may leave before the end
        head
    });
    (url, server)
}

fn http(status: &str, headers: &str, body: &str) -> Vec<u8> {
    let length = body.len();
    format!(
        "HTTP/1.1 {status}\r\n{headers}Content-Length: {length}\r\nConnection: close\r\n\r\n{body}"
    )
    .into_bytes()
}

fn login() -> Credentials {
    Credentials::UserPassword {
        user: "alice".into(),
        password: "secret".into(),
    }
}

/// What a caller makes of an answer.
fn error_of(answer: Vec<u8>) -> ChainError {
    let (url, server) = answer_one(answer);
    let error = Node::connect(&url, &login()).expect_err("no node");
    server.join().expect("the server ends");
    println!("{error}");
    let text = error.to_string();
    assert!(!text.contains("secret") && !text.contains('\n'), "{text}");
    assert!(!text.chars().any(char::is_control), "{text:?}");
    error
}

#[test]
fn a_status_of_http_is_told_with_its_meaning() {
    for (status, body, meaning) in [
        ("401 Unauthorized", "", "wrong password, or no user 'alice'"),
        ("403 Forbidden", "", "rpcallowip"),
        ("404 Not Found", "nothing here", "path"),
        ("500 Internal Server Error", "ouch\r\n\u{1b}[31m", "'ouch"),
        ("502 Bad Gateway", "<html>", "<html>"),
        (
            "503 Service Unavailable",
            "Work queue depth exceeded",
            "busy",
        ),
    ] {
        let error = error_of(http(status, "", body));
        let ChainError::NodeRefuses {
            status: got,
            reason,
            ..
        } = &error
        else {
            panic!("{error:?}");
        };
        assert_eq!(got, status);
        assert!(reason.contains(meaning), "{reason}");
    }
}

#[test]
fn a_cookie_that_is_refused_is_named() {
    let directory = tempfile::tempdir().expect("a directory");
    let path = directory.path().join(".cookie");
    std::fs::write(&path, "__cookie__:secret").expect("written");
    let (url, server) = answer_one(http("401 Unauthorized", "", ""));
    let error = Node::connect(&url, &Credentials::Cookie(path.clone())).expect_err("refused");
    let head = server.join().expect("the server ends");
    assert!(head.contains("Authorization: Basic "), "{head}");
    let text = error.to_string();
    assert!(
        text.contains(path.to_str().expect("a path")) && !text.contains("secret"),
        "{text}"
    );
    for wrong in [&b"no colon"[..], b"\xff:\xff", b""] {
        std::fs::write(&path, wrong).expect("written");
        let error = Node::connect(&url, &Credentials::Cookie(path.clone())).expect_err("no login");
        assert!(matches!(error, ChainError::Login { .. }), "{error:?}");
    }
}

#[test]
fn redirects_are_not_followed() {
    let elsewhere = TcpListener::bind("127.0.0.1:0").expect("a free port");
    elsewhere.set_nonblocking(true).expect("an option");
    let target = format!("http://{}/", elsewhere.local_addr().expect("an address"));
    for status in [
        "301 Moved Permanently",
        "302 Found",
        "303 See Other",
        "307 Temporary Redirect",
        "308 Permanent Redirect",
    ] {
        for location in [
            format!("Location: {target}\r\n"),
            "Location: /elsewhere\r\n".to_owned(),
            "Location: gopher://a b\r\n".to_owned(),
            "Location: ::::\r\n".to_owned(),
            String::new(),
        ] {
            let error = error_of(http(status, &location, ""));
            assert!(
                matches!(error, ChainError::NodeRedirects { .. }),
                "{status}, {location}: {error:?}"
            );
        }
    }
    let followed = elsewhere.accept().expect_err("nobody comes");
    assert_eq!(followed.kind(), ErrorKind::WouldBlock);
}

#[test]
fn a_node_that_is_starting_says_so() {
    let body = r#"{"result":null,"error":{"code":-28,"message":"Loading block index…"},"id":1}"#;
    for status in ["200 OK", "500 Internal Server Error"] {
        let error = error_of(http(status, "", body));
        assert!(
            matches!(&error, ChainError::NodeStarting { reason, .. } if reason.contains("index")),
            "{error:?}"
        );
    }
}

#[test]
fn whatever_else_answers_is_no_node() {
    let long = format!("\"{}\"", "x".repeat(65 << 20));
    for answer in [
        http("200 OK", "", ""),
        http("200 OK", "", "<html>welcome</html>"),
        http("200 OK", "", "[1, 2]"),
        http("200 OK", "", &long),
        http("204 No Content", "", ""),
        http("200 OK", "Transfer-Encoding: chunked\r\n", "zz\r\n"),
    ] {
        let error = error_of(answer);
        assert!(
            matches!(
                error,
                ChainError::NotANode { .. } | ChainError::NodeUnreachable { .. }
            ),
            "{error:?}"
        );
    }
    for answer in [
        &b""[..],
        b"SSH-2.0-OpenSSH\r\n",
        b"HTTP/1.1 200",
        b"\xff\xfe",
    ] {
        error_of(answer.to_vec());
    }
    let error = error_of(http("200 OK", "", r#"{"result":{},"error":null,"id":1}"#));
    assert!(matches!(error, ChainError::Rpc { .. }), "{error:?}");
}

/// Answers calls for ever, by what `answer` makes of the method and of how often it was called.
fn answer_all(answer: impl Fn(&str, usize) -> serde_json::Value + Send + 'static) -> String {
    let listener = TcpListener::bind("127.0.0.1:0").expect("a free port");
    let url = format!("http://{}", listener.local_addr().expect("an address"));
    std::thread::spawn(move || {
        let mut calls = std::collections::HashMap::new();
        while let Ok((mut stream, _)) = listener.accept() {
            let (_, body) = read_whole_request(&stream);
            let request: serde_json::Value = serde_json::from_slice(&body).expect("JSON");
            let method = request["method"].as_str().expect("a method").to_owned();
            let count = calls.entry(method.clone()).or_insert(0);
            *count += 1;
            let mut said = answer(&method, *count);
            said["id"] = request["id"].clone();
            let _ = stream.write_all(&http("200 OK", "", &said.to_string()));
        }
    });
    url
}

fn chain_info(blocks: u32, headers: u32, downloading: bool) -> serde_json::Value {
    serde_json::json!({"result": {
        "chain": "main",
        "blocks": blocks,
        "headers": headers,
        "initialblockdownload": downloading,
    }})
}

#[test]
fn a_node_that_cannot_wait_is_asked_each_second() {
    let hash = |digit: &str| digit.repeat(64);
    let error =
        |code: i32, message: &str| serde_json::json!({"error": {"code": code, "message": message}});
    // No such call; a call without the second argument.
    for code in [-32601, -1] {
        let url = answer_all(move |method, count| match (method, count) {
            ("getblockchaininfo", _) => chain_info(10, 10, false),
            ("getbestblockhash", 1..=3) => serde_json::json!({"result": hash("1")}),
            ("getbestblockhash", _) => serde_json::json!({"result": hash("2")}),
            _ => error(code, "help"),
        });
        let node = Node::connect(&url, &login()).unwrap();
        assert_eq!(node.network(), "main");
        let start = std::time::Instant::now();
        let known = hash("1").parse().unwrap();
        let longest = std::time::Duration::from_secs(60);
        node.wait_for_block(known, longest).unwrap();
        let waited = start.elapsed();
        assert!((1..20).contains(&waited.as_secs()), "{waited:?}");
    }
}

#[test]
fn a_node_that_lags_says_so() {
    for (blocks, headers, downloading, synced) in [
        (10, 10, false, true),
        (10, 10, true, false),
        (9, 10, false, false),
        (9, 10, true, false),
    ] {
        let url = answer_all(move |_, _| chain_info(blocks, headers, downloading));
        let node = Node::connect(&url, &login()).unwrap();
        let result = node.check_synced();
        assert_eq!(result.is_ok(), synced, "{result:?}");
        if let Err(error) = result {
            assert!(matches!(
                error,
                ChainError::Lagging { blocks: b, headers: h } if (b, h) == (blocks, headers)
            ));
            println!("{error}");
        }
    }
}

#[test]
fn what_a_node_says_of_fees_is_read() {
    let url = answer_all(|method, count| match method {
        "getblockchaininfo" => chain_info(10, 10, false),
        "getmempoolinfo" => serde_json::json!({"result": {
            "mempoolminfee": 0.00002345, "minrelaytxfee": 0.000_001,
        }}),
        "getmempoolentry" => serde_json::json!({"result": {
            "vsize": 154, "fees": {"base": 0.000_012_34, "modified": 1, "ancestor": 2},
        }}),
        "estimatesmartfee" if count == 1 => serde_json::json!({"result": {
            "feerate": 0.00012345, "blocks": 6,
        }}),
        _ => serde_json::json!({"result": {"errors": ["Insufficient data"], "blocks": 2}}),
    });
    let node = Node::connect(&url, &login()).unwrap();
    // Rounded up from 2345 and 12345 sat per 1,000 vB.
    assert_eq!(node.min_feerate().unwrap().to_sat_per_kwu(), 587);
    let estimate = node.estimate_feerate(6).unwrap().unwrap();
    assert_eq!(estimate.to_sat_per_kwu(), 3_087);
    assert_eq!(node.estimate_feerate(6).unwrap(), None);
    let txid = "1".repeat(64).parse().unwrap();
    let entry = node.mempool_entry(txid).unwrap().unwrap();
    assert_eq!((entry.vsize_vb, entry.fee.to_sat()), (154, 1_234));
}
