//! tokio: a task per connection, on the current-thread runtime.

use std::io::Result;
use std::sync::Arc;
use tokio::io::{AsyncBufReadExt, AsyncReadExt, AsyncWriteExt, BufReader, BufWriter};
use tokio::net::tcp::{OwnedReadHalf, OwnedWriteHalf};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::broadcast;

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<()> {
    let arguments: Vec<String> = std::env::args().collect();
    let (port, mode) = match arguments.as_slice() {
        [_, option, port, mode] if option == "--port" => (port.parse().expect("a port"), mode.clone()),
        _ => panic!("usage: tokio-server --port N chunk|line|lineBytes|block|sink|fanout"),
    };
    let listener = TcpListener::bind(("127.0.0.1", port)).await?;
    println!("ready {}", listener.local_addr()?.port());
    let room = broadcast::channel(1024).0;

    loop {
        let (connection, _) = listener.accept().await?;
        connection.set_nodelay(true)?;
        // An error, or the end of the input, ends its own connection only.
        match mode.as_str() {
            "chunk" => drop(tokio::spawn(echo(connection))),
            "line" => drop(tokio::spawn(echo_lines(connection))),
            "lineBytes" => drop(tokio::spawn(echo_byte_lines(connection))),
            "block" => drop(tokio::spawn(echo_blocks(connection))),
            "fanout" => drop(tokio::spawn(chat(connection, room.clone()))),
            _ => drop(tokio::spawn(sink(connection))),
        }
    }
}

async fn echo(mut connection: TcpStream) -> Result<()> {
    // Not zeroed, so that only the pages that are used become resident.
    let mut buffer = Vec::with_capacity(64 * 1024);
    while connection.read_buf(&mut buffer).await? > 0 {
        connection.write_all(&buffer).await?;
        buffer.clear();
    }
    Ok(())
}

async fn echo_lines(connection: TcpStream) -> Result<()> {
    let (mut reader, mut writer) = buffered(connection);
    let mut line = String::new();
    while reader.read_line(&mut line).await? > 0 {
        writer.write_all(line.trim_end_matches(['\r', '\n']).as_bytes()).await?;
        writer.write_all(b"\n").await?;
        line.clear();
        flush_unless_more(&reader, &mut writer).await?;
    }
    Ok(())
}

async fn echo_byte_lines(connection: TcpStream) -> Result<()> {
    let (mut reader, mut writer) = buffered(connection);
    let mut line = Vec::new();
    while reader.read_until(b'\n', &mut line).await? > 0 {
        let end = line.strip_suffix(b"\n").unwrap_or(&line);
        writer.write_all(end.strip_suffix(b"\r").unwrap_or(end)).await?;
        writer.write_all(b"\n").await?;
        line.clear();
        flush_unless_more(&reader, &mut writer).await?;
    }
    Ok(())
}

async fn echo_blocks(connection: TcpStream) -> Result<()> {
    let (mut reader, mut writer) = buffered(connection);
    let mut block = Vec::new();
    while let Ok(length) = reader.read_u32().await {
        if length > 1 << 20 {
            return Err(std::io::ErrorKind::InvalidData.into());
        }
        block.resize(length as usize, 0);
        reader.read_exact(&mut block).await?;
        writer.write_u32(length).await?;
        writer.write_all(&block).await?;
        let waiting = reader.buffer();
        let is_whole = |header: [u8; 4]| waiting.len() - 4 >= u32::from_be_bytes(header) as usize;
        if !waiting.get(..4).map_or(false, |header| is_whole(header.try_into().unwrap())) {
            writer.flush().await?;
        }
    }
    Ok(())
}

fn buffered(connection: TcpStream) -> (BufReader<OwnedReadHalf>, BufWriter<OwnedWriteHalf>) {
    let (input, output) = connection.into_split();
    (BufReader::new(input), BufWriter::new(output))
}

/// One system call answers all the lines that came together.
async fn flush_unless_more(reader: &BufReader<OwnedReadHalf>, writer: &mut BufWriter<OwnedWriteHalf>) -> Result<()> {
    if reader.buffer().contains(&b'\n') {
        return Ok(());
    }
    writer.flush().await
}

/// What is said to everybody: a line with its end, shared by all who write it.
type Room = broadcast::Sender<Arc<str>>;

async fn chat(connection: TcpStream, room: Room) -> Result<()> {
    let (mut reader, writer) = buffered(connection);
    let writing = tokio::spawn(tell(writer, room.subscribe()));
    let mut line = String::new();
    while let Ok(1..) = reader.read_line(&mut line).await {
        let end = line.trim_end_matches(['\r', '\n']).len();
        line.truncate(end);
        line.push('\n');
        let _ = room.send(line.as_str().into());
        line.clear();
    }
    writing.abort();
    Ok(())
}

/// Writes what is said, and all of it that is there with one system call. Who falls behind by 1,024 lines has to go.
async fn tell(mut writer: BufWriter<OwnedWriteHalf>, mut said: broadcast::Receiver<Arc<str>>) -> Result<()> {
    writer.write_all(b"welcome\n").await?;
    writer.flush().await?;
    while let Ok(line) = said.recv().await {
        writer.write_all(line.as_bytes()).await?;
        while let Ok(line) = said.try_recv() {
            writer.write_all(line.as_bytes()).await?;
        }
        writer.flush().await?;
    }
    writer.shutdown().await
}

async fn sink(mut connection: TcpStream) -> Result<()> {
    let mut buffer = Vec::with_capacity(64 * 1024);
    let mut total = 0;
    while connection.read_buf(&mut buffer).await? > 0 {
        total += buffer.len();
        buffer.clear();
    }
    connection.write_all(format!("{total}\n").as_bytes()).await
}
