//! `load` with tokio, in the modes `chunk`, `hold` and `rate`: a task for each connection, on the current-thread runtime.
//! It takes the same options, and prints the same report.

use std::cell::Cell;
use std::collections::HashMap;
use std::io::{stdin, Error, ErrorKind, Result};
use std::net::{Ipv4Addr, SocketAddr};
use std::rc::Rc;
use std::time::{Duration, Instant};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpSocket, TcpStream};
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
    let mode = values.get("--mode").map_or("rate", |mode| mode.as_str());
    let seconds = |name, usual| Duration::from_secs_f64(number(name, usual));

    let (warm_up, measured) = (seconds("--warm-up", 1.0), seconds("--seconds", 5.0));
    match mode {
        "rate" => connect_again_and_again(&options, warm_up, measured).await,
        "chunk" => exchange(&options, warm_up, measured).await,
        _ => hold(&options).await,
    }
}

/// Connect, echo one message, end the output, wait for the server's end, close; so many at a time.
async fn connect_again_and_again(options: &Rc<Options>, warm_up: Duration, measured: Duration) -> Result<()> {
    let warm = Instant::now() + warm_up;
    connections(options, move |_| Instant::now() < warm).await?;
    if options.messages > 0 {
        wait_for_word()?;
    }
    let (before, start) = (cpu_seconds()?, Instant::now());
    let (end, messages) = (start + measured, options.messages);
    let count = connections(options, move |n| if messages > 0 { n < messages } else { Instant::now() < end }).await?;
    report(count, start, before)?;
    if messages > 0 {
        stdin().read_line(&mut String::new())?;
    }
    Ok(())
}

/// Messages there and back on all connections, again and again.
async fn exchange(options: &Rc<Options>, warm_up: Duration, measured: Duration) -> Result<()> {
    let clients = open(options).await?;
    let clients = echo_for(options, clients, warm_up, false).await?;
    if options.messages == 0 {
        echo_for(options, clients, measured, true).await?;
        return Ok(());
    }
    wait_for_word()?;
    let (round, before, start) = (Rc::new(Round::new(options.messages)), cpu_seconds()?, Instant::now());
    let _clients = echo(options, clients, &round).await?;
    report(round.replies.get(), start, before)?;
    stdin().read_line(&mut String::new())?;
    Ok(())
}

/// Messages that are to be sent and answered.
struct Round {
    left: Cell<usize>,
    replies: Cell<usize>,
}

impl Round {
    fn new(messages: usize) -> Round {
        Round { left: Cell::new(messages), replies: Cell::new(0) }
    }
}

async fn echo_for(
    options: &Rc<Options>, clients: Vec<TcpStream>, time: Duration, reports: bool,
) -> Result<Vec<TcpStream>> {
    let (round, before, start) = (Rc::new(Round::new(usize::MAX)), cpu_seconds()?, Instant::now());
    let stop = async {
        tokio::time::sleep(time).await;
        if reports {
            report(round.replies.get(), start, before)?;
        }
        round.left.set(0);
        Ok(())
    };
    Ok(tokio::try_join!(stop, echo(options, clients, &round))?.1)
}

async fn echo(options: &Rc<Options>, clients: Vec<TcpStream>, round: &Rc<Round>) -> Result<Vec<TcpStream>> {
    let local = LocalSet::new();
    let tasks = clients.into_iter().map(|mut client| {
        let (options, round) = (options.clone(), round.clone());
        local.spawn_local(async move {
            let mut reply = vec![0; options.message.len()];
            while round.left.get() > 0 {
                round.left.set(round.left.get() - 1);
                echo_one(&options, &mut client, &mut reply).await?;
                round.replies.set(round.replies.get() + 1);
            }
            Ok::<_, Error>(client)
        })
    });
    let tasks: Vec<_> = tasks.collect();
    local.await;
    let mut clients = Vec::with_capacity(tasks.len());
    for task in tasks {
        clients.push(task.await.expect("a task that ended")?);
    }
    Ok(clients)
}

async fn echo_one(options: &Options, client: &mut TcpStream, reply: &mut [u8]) -> Result<()> {
    client.write_all(&options.message).await?;
    client.read_exact(reply).await?;
    if reply != options.message {
        return Err(Error::new(ErrorKind::InvalidData, "what came back differs from what was sent"));
    }
    Ok(())
}

/// One at a time, each with an echo.
async fn open(options: &Options) -> Result<Vec<TcpStream>> {
    let mut clients = Vec::with_capacity(options.connections);
    let mut reply = vec![0; options.message.len()];
    for _ in 0..options.connections {
        let mut client = TcpStream::connect(options.server).await?;
        client.set_nodelay(true)?;
        echo_one(options, &mut client, &mut reply).await?;
        clients.push(client);
    }
    Ok(clients)
}

/// Connections that wait for input, for somebody to look at this process's memory.
async fn hold(options: &Options) -> Result<()> {
    wait_for_word()?;
    for mut client in open(options).await? {
        tokio::spawn(async move {
            let mut more = [0; 64];
            panic!("more came than was sent: {:?}", client.read(&mut more).await)
        });
    }
    tokio::time::sleep(Duration::from_millis(100)).await;
    wait_for_word()?;
    std::process::exit(0)
}

fn wait_for_word() -> Result<()> {
    println!("READY");
    stdin().read_line(&mut String::new()).map(drop)
}

fn report(count: usize, start: Instant, before: (f64, f64)) -> Result<()> {
    let (elapsed, after, n) = (start.elapsed().as_secs_f64(), cpu_seconds()?, count as f64);
    let (user, system) = (after.0 - before.0, after.1 - before.1);
    println!(
        "{{\"messages\": {count}, \"seconds\": {elapsed}, \"messages_per_second\": {}, \"user_us_per_message\": {}, \
         \"system_us_per_message\": {}, \"resident_bytes\": {}, \"load_busy\": {}}}",
        n / elapsed, user * 1e6 / n, system * 1e6 / n, resident_bytes()?, (user + system) / elapsed
    );
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
