use crate::{EchoClient, router};
use rpc::Caller;

#[tokio::test]
async fn the_socket_goes_with_its_host() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("engine.sock");
    let host = loopback::socket::serve(&path, router(), Caller::owner("cli")).unwrap();
    assert!(path.exists());
    drop(host);
    assert!(!path.exists());
}

#[tokio::test]
async fn a_leftover_socket_is_replaced_and_a_missing_one_is_said_to_be_missing() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("engine.sock");
    drop(std::os::unix::net::UnixListener::bind(&path).unwrap());
    assert!(loopback::socket::connect(&path).await.is_err());
    let _host = loopback::socket::serve(&path, router(), Caller::owner("cli")).unwrap();
    assert!(loopback::socket::connect(&path).await.is_ok());
}

#[tokio::test]
async fn garbage_closes_the_connection_and_harms_nobody() {
    use tokio::io::{AsyncReadExt, AsyncWriteExt};
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("engine.sock");
    let _host = loopback::socket::serve(&path, router(), Caller::owner("cli")).unwrap();
    for garbage in [&[0, 0xff, 0xff, 0xff, 0xff][..], &[9, 0, 0, 0, 1, 1], &[0, 0, 0, 0, 1, 0xff]] {
        let mut stream = tokio::net::UnixStream::connect(&path).await.unwrap();
        stream.write_all(garbage).await.unwrap();
        assert_eq!(stream.read(&mut [0; 8]).await.unwrap_or(0), 0, "{garbage:?} must end the connection");
    }
    let (client, read) = rpc::connect(loopback::socket::connect(&path).await.unwrap());
    tokio::spawn(read);
    assert_eq!(EchoClient(client).say(&"still here".into()).await.unwrap(), "cli: still here");
}
