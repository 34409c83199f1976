"""From rounds to medians, and from those to JSON and Markdown."""

import statistics

QUIET = 0.15  # what other programs may take of the two cores, in cores


def summary(scenario, system, rounds, counts):
    """One record of the JSON file: medians, and each figure's lowest and highest round; what was counted."""
    record = {"scenario": scenario.name, "system": system.name, "unit": scenario.unit, "rounds": len(rounds)}
    spread = {}
    for key, value in (rounds[0] if rounds else {}).items():
        values = [r[key] for r in rounds if key in r]
        if all(other == value for other in values):
            record[key] = value
        else:
            record[key] = statistics.median(values)
            spread[key] = [min(values), max(values)]
    record["spread"] = spread
    return record | counts


def decimals(value):
    """Three significant digits are what such measurements hold."""
    if value >= 1000:
        return f"{value:,.0f}"
    return f"{value:.{0 if value >= 100 else 1 if value >= 10 else 2 if value >= 1 else 3}f}"


def ratio(record, baseline, key):
    if not baseline or not baseline.get(key) or record.get(key) is None:
        return ""
    return f"{record[key] / baseline[key]:.2f}"


def spread(record, key):
    """Half the distance from the lowest round to the highest, in per cent of the median."""
    low, high = record["spread"].get(key, (0, 0))
    return f" ±{(high - low) / 2 / record[key] * 100:.0f} %" if record[key] and high > low else ""


def mebibytes(value):
    return f"{value / (1 << 20):.1f} MiB"


def table(scenario, systems, records, failures, baseline_name):
    """A scenario's Markdown table. `records` and `failures` are by system name."""
    baseline = records.get(baseline_name)
    unit = scenario.unit
    if scenario.decodes:
        head = ["MB/s", "×", f"ns/{unit}"]
    elif scenario.idle:
        head = ["bytes per connection", "×", "resident memory"]
    else:
        head = [f"{scenario.units}/s", "×", f"user µs/{unit}", "×", f"system µs/{unit}", "p50 µs", "p99 µs", "memory", "load busy"]
    lines = [
        f"### {scenario.title} (`{scenario.name}`)",
        "",
        "| | " + " | ".join(head) + " |",
        "|---|" + "--:|" * len(head),
    ]
    for system in systems:
        record = records.get(system.name)
        title = system.decoder_titles.get(scenario.server, system.decoder_title) if scenario.decodes else system.title
        if record is None:
            if system.name in failures:
                lines.append(f"| {title} | failed: {failures[system.name]} |" + " |" * (len(head) - 1))
            continue
        if scenario.decodes:
            cells = [
                decimals(record["megabytes_per_second"]) + spread(record, "megabytes_per_second"),
                ratio(record, baseline, "megabytes_per_second"),
                decimals(record["ns_per_message"]),
            ]
        elif scenario.idle:
            cells = [
                decimals(record["bytes_per_connection"]) + spread(record, "bytes_per_connection"),
                ratio(record, baseline, "bytes_per_connection"),
                mebibytes(record["resident_bytes"]),
            ]
        else:
            cells = [
                decimals(record["messages_per_second"]) + spread(record, "messages_per_second"),
                ratio(record, baseline, "messages_per_second"),
                decimals(record["user_us_per_message"]) + spread(record, "user_us_per_message"),
                ratio(record, baseline, "user_us_per_message"),
                decimals(record["system_us_per_message"]),
                *(decimals(record[key]) if key in record else "" for key in ("p50_us", "p99_us")),
                mebibytes(record["resident_bytes"]),
                f"{record['load_busy']:.0%}",
            ]
        lines.append(f"| {title} | " + " | ".join(cells) + " |")
    for system in systems:
        if share := records.get(system.name, {}).get("busiest_loop_share"):
            lines += ["", f"{system.title}: the busiest of {scenario.loops} loops had {share:.1%} of the connections."]
    others = [max(r["spread"].get("others_busy", [r.get("others_busy", 0)])) for r in records.values()]
    if max(others, default=0) > QUIET:
        lines += ["", f"Not to be relied on: other programs took up to {max(others):.0%} of a core meanwhile."]
    return "\n".join(lines) + "\n"


def counts_table(scenario, systems, records, baseline_name):
    """What a message costs, counted."""
    baseline = records.get(baseline_name)
    unit = scenario.unit
    lines = [
        f"#### {scenario.title} (`{scenario.name}`): counts",
        "",
        f"| | user instructions/{unit} | × | allocations/{unit} | system calls/{unit} | of these |",
        "|---|--:|--:|--:|--:|---|",
    ]
    for system in systems:
        record = records.get(system.name)
        if record is None or "system_calls_per_message" not in record:
            continue
        calls = [f"{name} {decimals(number)}" for name, number in record.get("system_calls", {}).items() if number > 0.002]
        cells = [
            counted(record["user_instructions_per_message"]),
            ratio(record, baseline, "user_instructions_per_message"),
            counted(record["allocations_per_message"]),
            counted(record["system_calls_per_message"]),
            ", ".join(calls),
        ]
        lines.append(f"| {system.title} | " + " | ".join(cells) + " |")
    for system in systems:
        if system.uncounted and system.name in records:
            lines += ["", f"{system.title} {system.uncounted_because}."]
    return "\n".join(lines) + "\n"


def counted(value):
    return "—" if value is None else "0" if value < 0.005 else decimals(value)
