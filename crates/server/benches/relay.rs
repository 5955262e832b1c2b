//! What the hub costs: CPU per relayed 4 KiB frame, beside a bare echo of the same frames in the same run.
//!
//! `cargo xtask bench relay`
#![allow(missing_docs, clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::print_stdout)]

#[allow(dead_code, reason = "the tests use all of it")]
#[path = "../tests/it/devices.rs"]
mod devices;
#[allow(dead_code, reason = "the tests use all of it")]
#[path = "../tests/it/support.rs"]
mod support;

use std::time::{Duration, Instant};

use actix_web::{App, HttpRequest, HttpResponse, HttpServer, web};
use actix_ws::AggregatedMessage;
use devices::{Wire, desktop, frame, phone, register, stream};
use futures_util::{SinkExt as _, StreamExt as _};
use support::World;
use tokio_tungstenite::tungstenite::Message;

const PAYLOAD: usize = 4096;
/// Frames on their way at once, the same for both.
const WINDOW: usize = 16;
const WARM_UP: usize = 2_000;
const FRAMES: usize = 40_000;
/// Runs of each, taken in turns; the median counts.
const RUNS: usize = 5;

/// CPU of all threads but the calling one, which is the clients'.
fn server_cpu() -> Duration {
    let own = std::fs::read_link("/proc/thread-self").unwrap();
    let tasks = std::fs::read_dir("/proc/self/task").unwrap().map(|entry| entry.unwrap());
    tasks
        .filter(|task| Some(task.file_name().as_os_str()) != own.file_name())
        // A thread may end while we look.
        .filter_map(|task| std::fs::read_to_string(task.path().join("schedstat")).ok())
        .map(|text| Duration::from_nanos(text.split(' ').next().unwrap().parse().unwrap()))
        .sum()
}

/// One run: CPU of the server side per frame, and wall time per frame.
async fn measured(
    frames: usize,
    message: &Message,
    from: &mut Wire,
    mut to: Option<&mut Wire>,
    before_each: &dyn Fn(),
) -> (Duration, Duration) {
    let (cpu, began) = (server_cpu(), Instant::now());
    for _ in 0..frames / WINDOW {
        for _ in 0..WINDOW {
            before_each();
            from.0.feed(message.clone()).await.unwrap();
        }
        from.0.flush().await.unwrap();
        let mut arrived = 0;
        while arrived < WINDOW {
            let reader = to.as_deref_mut().unwrap_or(from);
            match reader.message().await.expect("the socket stays open") {
                Message::Binary(_) => arrived += 1,
                Message::Text(text) if text.contains("rate") => panic!("held back: {text}"),
                _ => {}
            }
        }
    }
    let count = u32::try_from(frames).unwrap();
    ((server_cpu() - cpu) / count, began.elapsed() / count)
}

async fn echo(request: HttpRequest, body: web::Payload) -> Result<HttpResponse, actix_web::Error> {
    let (response, mut session, messages) = actix_ws::handle(&request, body)?;
    let mut messages = messages.max_frame_size(1 << 20).aggregate_continuations();
    actix_web::rt::spawn(async move {
        while let Some(Ok(AggregatedMessage::Binary(frame))) = messages.next().await {
            if session.binary(frame).await.is_err() {
                return;
            }
        }
    });
    Ok(response)
}

/// An echo server with as many workers as the hub's.
fn start_echo() -> std::net::SocketAddr {
    let (tell, told) = std::sync::mpsc::channel();
    std::thread::spawn(move || {
        actix_web::rt::System::new().block_on(async move {
            let server = HttpServer::new(|| App::new().route("/echo", web::get().to(echo)))
                .tcp_nodelay(true)
                .bind(("127.0.0.1", 0))
                .unwrap();
            tell.send(server.addrs()[0]).unwrap();
            server.run().await.unwrap();
        });
    });
    told.recv().unwrap()
}

fn median(mut of: Vec<Duration>) -> Duration {
    of.sort();
    of[of.len() / 2]
}

#[tokio::main(flavor = "current_thread")]
async fn main() {
    let world = World::new().await;
    let ada = world.sign_in("ada").await;
    let laptop = desktop(&world, &ada).await;
    let mobile = phone(&world, &laptop).await;
    let mut sender = register(&world, &laptop, &ada, None).await.wire;
    let mut receiver = register(&world, &mobile, &ada, None).await.wire;
    let alias = stream(&mut sender, &mobile, 1).await;
    let address = start_echo();
    let socket = tokio_tungstenite::connect_async(format!("ws://{address}/echo")).await.unwrap().0;
    let mut echoed = Wire(socket);
    let message = frame(&alias, PAYLOAD);
    // The hub holds a socket to 200 messages and 2 MB a second by the world's clock, which is moved on instead of
    // waited for.
    let advance = || world.env.advance(5);

    measured(WARM_UP, &message, &mut sender, Some(&mut receiver), &advance).await;
    measured(WARM_UP, &message, &mut echoed, None, &|| ()).await;
    let (mut hub, mut bare) = (Vec::new(), Vec::new());
    for _ in 0..RUNS {
        hub.push(measured(FRAMES / RUNS, &message, &mut sender, Some(&mut receiver), &advance).await);
        bare.push(measured(FRAMES / RUNS, &message, &mut echoed, None, &|| ()).await);
    }
    let split = |of: Vec<(Duration, Duration)>| {
        let (cpu, wall) = of.into_iter().unzip();
        (median(cpu).as_secs_f64() * 1e6, median(wall).as_secs_f64() * 1e6)
    };
    let (hub, bare) = (split(hub), split(bare));
    println!("{FRAMES} frames of {PAYLOAD} bytes, {WINDOW} on their way at once, median of {RUNS} runs");
    println!("relay      {:>7.1} µs CPU, {:>7.1} µs a frame", hub.0, hub.1);
    println!("bare echo  {:>7.1} µs CPU, {:>7.1} µs a frame", bare.0, bare.1);
    println!("ratio      {:>7.2}", hub.0 / bare.0);
}
