// SPDX-License-Identifier: MIT
//
// A host on smoltcp, with the ports of bench/tcpload.c, to be held beside bench/stackhost.c:
//
//     smoltcphost TAP ADDRESS
//
// It is the crate as it is, with its own driver for a plain TAP and its own way to wait; the
// loop is that of its benchmark example. Sockets have buffers of 1 MiB and CUBIC, and are few,
// as each poll looks at all. The sink drops what it is shown; the source walks through 64 MiB,
// which the crate has copied into its buffer.
//
// Nothing of weft's needs Rust, and nothing here fetches it. Where it is installed:
//
//     cargo new smoltcphost && cd smoltcphost
//     cargo add smoltcp@0.13.1 --no-default-features --features \
//         std,medium-ethernet,phy-tuntap_interface,proto-ipv4,socket-tcp,socket-tcp-cubic
//     cp .../bench/smoltcphost.rs src/main.rs
//     CARGO_PROFILE_RELEASE_LTO=true CARGO_PROFILE_RELEASE_CODEGEN_UNITS=1 cargo build --release
//     SMOLTCPHOST=$PWD/target/release/smoltcphost .../bench/stack

use smoltcp::iface::{Config, Interface, SocketHandle, SocketSet};
use smoltcp::phy::{Medium, TunTapInterface, wait};
use smoltcp::socket::tcp;
use smoltcp::time::{Duration, Instant};
use smoltcp::wire::{EthernetAddress, IpCidr, Ipv4Address};
use std::os::fd::AsRawFd;

const WALK_LEN: usize = 64 << 20;
const BUFFER_LEN: usize = 1 << 20;
const MAC: EthernetAddress = EthernetAddress([2, 0, 0, 0, 0, 7]);
/// For each port: the next connection comes while the one before is being closed.
const SOCKETS: usize = 2;

#[derive(Clone, Copy)]
enum Service {
    Sink,
    Source,
    Echo,
}

const PORTS: [(u16, Service); 3] = [
    (5001, Service::Sink),
    (5002, Service::Source),
    (5003, Service::Echo),
];

/// What the source sends, over and over.
struct Walk {
    bytes: Vec<u8>,
    at: usize,
}

impl Walk {
    /// Fills as much of the buffer as there is before the walk's end.
    fn fill(&mut self, buffer: &mut [u8]) -> usize {
        let len = buffer.len().min(WALK_LEN - self.at);
        buffer[..len].copy_from_slice(&self.bytes[self.at..self.at + len]);
        self.at = (self.at + len) % WALK_LEN;
        len
    }
}

fn sink(socket: &mut tcp::Socket) -> Result<(), tcp::RecvError> {
    while socket.can_recv() {
        socket.recv(|piece| (piece.len(), ()))?;
    }
    Ok(())
}

fn source(socket: &mut tcp::Socket, walk: &mut Walk) -> Result<(), tcp::SendError> {
    while socket.can_send() {
        socket.send(|buffer| (walk.fill(buffer), ()))?;
    }
    Ok(())
}

fn echo(socket: &mut tcp::Socket) -> Result<(), tcp::RecvError> {
    let mut piece = [0; 4096];
    while socket.can_recv() && socket.can_send() {
        let len = socket.recv_slice(&mut piece)?;
        let _ = socket.send_slice(&piece[..len]);
    }
    Ok(())
}

/// An error means that the connection has ended: it is seen below by its state.
fn serve(socket: &mut tcp::Socket, port: u16, service: Service, walk: &mut Walk) {
    if !socket.is_open() {
        socket
            .listen(port)
            .expect("a socket that is not open can listen");
    }
    let _ = match service {
        Service::Sink => sink(socket),
        Service::Echo => echo(socket),
        Service::Source => {
            let _ = source(socket, walk);
            sink(socket)
        }
    };
    if socket.state() == tcp::State::CloseWait {
        socket.close();
    }
}

fn socket() -> tcp::Socket<'static> {
    let buffer = || tcp::SocketBuffer::new(vec![0; BUFFER_LEN]);
    let mut socket = tcp::Socket::new(buffer(), buffer());
    socket.set_congestion_control(tcp::CongestionControl::Cubic);
    socket.set_nagle_enabled(false);
    socket
}

/// All sockets, and which port each is for.
fn open_ports() -> (SocketSet<'static>, Vec<(SocketHandle, u16, Service)>) {
    let mut sockets = SocketSet::new(vec![]);
    let mut served = vec![];
    for (port, service) in PORTS {
        for _ in 0..SOCKETS {
            served.push((sockets.add(socket()), port, service));
        }
    }
    (sockets, served)
}

fn interface(device: &mut TunTapInterface, address: Ipv4Address) -> Interface {
    let mut config = Config::new(MAC.into());
    config.random_seed = Instant::now().total_micros() as u64;
    let mut interface = Interface::new(config, device, Instant::now());
    interface.update_ip_addrs(|addresses| {
        addresses
            .push(IpCidr::new(address.into(), 24))
            .expect("there is room for one");
    });
    interface
}

fn main() {
    let arguments: Vec<String> = std::env::args().collect();
    let [_, name, address] = &arguments[..] else {
        eprintln!("smoltcphost TAP ADDRESS");
        std::process::exit(2);
    };
    let address = address.parse().expect("an IPv4 address");
    let mut device = TunTapInterface::new(name, Medium::Ethernet).expect("a TAP");
    let fd = device.as_raw_fd();
    let mut interface = interface(&mut device, address);
    let (mut sockets, served) = open_ports();
    let mut walk = Walk {
        bytes: vec![b'w'; WALK_LEN],
        at: 0,
    };
    println!("ready");
    loop {
        let now = Instant::now();
        interface.poll(now, &mut device, &mut sockets);
        for (handle, port, service) in &served {
            serve(sockets.get_mut(*handle), *port, *service, &mut walk);
        }
        let delay = interface.poll_delay(now, &sockets);
        if delay != Some(Duration::ZERO) {
            wait(fd, delay).expect("select");
        }
    }
}
