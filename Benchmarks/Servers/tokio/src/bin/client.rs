//! `load --mode rate` with tokio: connect, echo one message, end the output, wait for the server's end, close; so many
//! at a time, each in a task, on the current-thread runtime. It takes the same options, and prints the same report.

use std::cell::Cell;
use std::collections::HashMap;
use std::io::{stdin, Error, ErrorKind, Result};
use std::net::{Ipv4Addr, SocketAddr};
use std::rc::Rc;
use std::time::{Duration, Instant};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpSocket;
use tokio::task::LocalSet;

struct Options {
    server: SocketAddr,
    connections: usize,
    messages: usize,
    message: Vec<u8>,
}

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<()> {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let values: HashMap<_, _> = arguments.chunks(2).map(|pair| (pair[0].clone(), pair[1].clone())).collect();
    let number = |name: &str, usual: f64| values.get(name).map_or(usual, |text| text.parse().expect("a number"));
    let options = Rc::new(Options {
        server: (Ipv4Addr::LOCALHOST, number("--port", 0.0) as u16).into(),
        connections: number("--connections", 1.0) as usize,
        messages: number("--messages", 0.0) as usize,
        message: (0..number("--size", 64.0) as usize).map(|i| (i * 31 + 7) as u8).collect(),
    });
    let seconds = |name, usual| Duration::from_secs_f64(number(name, usual));

    let warm = Instant::now() + seconds("--warm-up", 1.0);
    connections(&options, move |_| Instant::now() < warm).await?;
    let mut line = String::new();
    if options.messages > 0 {
        println!("READY");
        stdin().read_line(&mut line)?;
    }
    let (before, start) = (cpu_seconds()?, Instant::now());
    let (end, messages) = (start + seconds("--seconds", 5.0), options.messages);
    let count = connections(&options, move |n| if messages > 0 { n < messages } else { Instant::now() < end }).await?;
    let (elapsed, after, n) = (start.elapsed().as_secs_f64(), cpu_seconds()?, count as f64);
    let (user, system) = (after.0 - before.0, after.1 - before.1);
    println!(
        "{{\"messages\": {count}, \"seconds\": {elapsed}, \"messages_per_second\": {}, \"user_us_per_message\": {}, \
         \"system_us_per_message\": {}, \"resident_bytes\": {}, \"load_busy\": {}}}",
        n / elapsed, user * 1e6 / n, system * 1e6 / n, resident_bytes()?, (user + system) / elapsed
    );
    if messages > 0 {
        stdin().read_line(&mut line)?;
    }
    Ok(())
}

/// Opens connections until one does not come on, and answers how many there were.
async fn connections(options: &Rc<Options>, goes_on: impl Fn(usize) -> bool + Copy + 'static) -> Result<usize> {
    let (begun, done) = (Rc::new(Cell::new(0)), Rc::new(Cell::new(0)));
    let local = LocalSet::new();
    let tasks: Vec<_> = (0..options.connections)
        .map(|_| {
            let (options, begun, done) = (options.clone(), begun.clone(), done.clone());
            local.spawn_local(async move {
                loop {
                    let number = begun.replace(begun.get() + 1);
                    if !goes_on(number) {
                        return Ok::<_, Error>(());
                    }
                    converse(&options, number).await?;
                    done.set(done.get() + 1);
                }
            })
        })
        .collect();
    local.await;
    for task in tasks {
        task.await.expect("a task that ended")?;
    }
    Ok(done.get())
}

async fn converse(options: &Options, number: usize) -> Result<()> {
    let socket = TcpSocket::new_v4()?;
    // Each closed connection keeps its local port for a minute, and each address has 28,000 of them.
    socket.bind((Ipv4Addr::new(127, 0, 0, 2 + (number % 100) as u8), 0).into())?;
    let mut connection = socket.connect(options.server).await?;
    connection.set_nodelay(true)?;
    connection.write_all(&options.message).await?;
    let mut reply = vec![0; options.message.len()];
    connection.read_exact(&mut reply).await?;
    connection.shutdown().await?;
    if reply != options.message || connection.read(&mut reply).await? != 0 {
        return Err(Error::new(ErrorKind::InvalidData, "what came back differs from what was sent"));
    }
    Ok(())
}

/// User and system time of this process so far, by the clock tick of 100 Hz that /proc counts in.
fn cpu_seconds() -> Result<(f64, f64)> {
    let text = std::fs::read_to_string("/proc/self/stat")?;
    let fields: Vec<f64> =
        text.rsplit(')').next().unwrap_or("").split_whitespace().map(|field| field.parse().unwrap_or(0.0)).collect();
    Ok((fields[11] / 100.0, fields[12] / 100.0))
}

fn resident_bytes() -> Result<u64> {
    let text = std::fs::read_to_string("/proc/self/statm")?;
    Ok(text.split(' ').nth(1).and_then(|pages| pages.parse::<u64>().ok()).unwrap_or(0) * 4096)
}
