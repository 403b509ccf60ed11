//! Metrics of this process from Linux, with the names that Prometheus clients use.
#![allow(clippy::cast_precision_loss, reason = "metrics are floating-point numbers")]

use prometheus_client::collector::Collector;
use prometheus_client::encoding::{DescriptorEncoder, EncodeMetric};
use prometheus_client::metrics::MetricType;
use prometheus_client::metrics::counter::ConstCounter;
use prometheus_client::metrics::gauge::ConstGauge;
use std::fs;

/// Reads `/proc` at each scrape; values that cannot be read are left out.
#[derive(Debug)]
pub struct Process;

/// The fields of `/proc/self/stat` after the command's name (`proc_pid_stat(5)`); the first is
/// `state`.
struct Stat(Vec<u64>);

impl Stat {
    fn read() -> Option<Self> {
        let text = fs::read_to_string("/proc/self/stat").ok()?;
        let (_, fields) = text.rsplit_once(") ")?;
        // `state` is a letter, and some fields may be negative, but none of those is used here.
        Some(Self(fields.split(' ').map(|field| field.trim().parse().unwrap_or(0)).collect()))
    }

    /// A field by its number in the manual page, where the process ID has number 1.
    fn field(&self, number: usize) -> f64 {
        self.0.get(number - 3).copied().unwrap_or(0) as f64
    }
}

/// Unix seconds of the system's start.
fn boot_time() -> Option<f64> {
    let text = fs::read_to_string("/proc/stat").ok()?;
    text.lines().find_map(|line| line.strip_prefix("btime "))?.trim().parse().ok()
}

impl Collector for Process {
    fn encode(&self, mut encoder: DescriptorEncoder<'_>) -> Result<(), std::fmt::Error> {
        let ticks = rustix::param::clock_ticks_per_second() as f64;
        let page = rustix::param::page_size() as f64;
        let mut gauge = |name: &str, help: &str, value: f64| {
            let gauge = ConstGauge::new(value);
            let metric = encoder.encode_descriptor(name, help, None, MetricType::Gauge)?;
            gauge.encode(metric)
        };
        if let Ok(files) = fs::read_dir("/proc/self/fd") {
            gauge("process_open_fds", "Open files and sockets", files.count() as f64)?;
        }
        let limit = rustix::process::getrlimit(rustix::process::Resource::Nofile).current;
        if let Some(limit) = limit {
            gauge("process_max_fds", "Files and sockets that may be open", limit as f64)?;
        }
        let Some(stat) = Stat::read() else { return Ok(()) };
        gauge("process_resident_memory_bytes", "Memory in use", stat.field(24) * page)?;
        gauge("process_virtual_memory_bytes", "Memory that is mapped", stat.field(23))?;
        if let Some(boot) = boot_time() {
            let start = boot + stat.field(22) / ticks;
            gauge("process_start_time_seconds", "Unix seconds of the start", start)?;
        }
        let seconds = ConstCounter::new((stat.field(14) + stat.field(15)) / ticks);
        let help = "Seconds of processor time";
        let metric =
            encoder.encode_descriptor("process_cpu_seconds", help, None, MetricType::Counter)?;
        seconds.encode(metric)
    }
}
