// Charts and filters of the dashboard. All text goes in through textContent, so no name is ever markup. Without this script every
// table is still there.
"use strict";
(() => {
  const data = JSON.parse(document.getElementById("data").textContent);
  const DAY_SECONDS = 86400;
  const DASHES = [[], [6, 4], [2, 3], [8, 3, 2, 3], [1, 2], [10, 5]];
  const team = document.getElementById("team");
  const period = document.getElementById("period");
  const css = (name) => getComputedStyle(document.documentElement).getPropertyValue(name).trim();
  const dollars = (value) => "$" + (value / 1e9).toLocaleString("en-US", { minimumFractionDigits: 2, maximumFractionDigits: 2 });
  let charts = [];

  function series(scope, days) {
    const all = data.series[scope] || [];
    return all.slice(Math.max(all.length - days, 0));
  }

  function dates(count) {
    const end = Date.parse(data.until + "T00:00:00Z") / 1000;
    return Array.from({ length: count }, (_, place) => end - (count - place) * DAY_SECONDS);
  }

  function draw(id, lines, count) {
    const place = document.getElementById(id);
    place.replaceChildren();
    const axis = { stroke: css("--ink"), grid: { stroke: css("--line"), width: 1 }, ticks: { stroke: css("--line") } };
    const colours = ["--chart", "--over", "--good", "--near", "--ink"];
    const options = {
      width: Math.max(place.clientWidth, 200),
      height: 240,
      tzDate: (seconds) => uPlot.tzDate(new Date(seconds * 1000), "UTC"),
      scales: { y: { range: (_, low, high) => [0, high > 0 ? high * 1.1 : 1] } },
      axes: [{ ...axis, values: (_, days) => days.map((seconds) => new Date(seconds * 1000).toISOString().slice(5, 10)) }, { ...axis, size: 70, values: (_, values) => values.map((value) => "$" + value.toLocaleString("en-US")) }],
      series: [{ label: "day", value: (_, seconds) => seconds === null ? "" : new Date(seconds * 1000).toISOString().slice(0, 10) }].concat(
        lines.map((line, number) => ({
          label: line.name,
          stroke: css(colours[number % colours.length]),
          dash: DASHES[Math.floor(number / colours.length) % DASHES.length],
          width: 2,
          value: (_, value) => value === null ? "" : "$" + value.toFixed(2),
        })),
      ),
    };
    charts.push(new uPlot(options, [dates(count), ...lines.map((line) => line.values.map((value) => value / 1e9))], place));
  }

  function fill(id, headings, rows) {
    const table = document.getElementById(id);
    const cell = (tag, text, number) => {
      const made = document.createElement(tag);
      made.textContent = text;
      if (number) made.className = "number";
      if (tag === "th") made.scope = "col";
      return made;
    };
    const line = (tag, texts) => {
      const row = document.createElement("tr");
      row.append(...texts.map((text, place) => cell(tag, text, place > 0)));
      return row;
    };
    table.tHead.replaceChildren(line("th", headings));
    table.tBodies[0].replaceChildren(...rows.map((texts) => line("td", texts)));
  }

  function show() {
    charts.forEach((chart) => chart.destroy());
    charts = [];
    const scope = team.value || "org";
    const longest = Math.max(0, ...Object.values(data.series).map((values) => values.length));
    const count = Math.min(Number(period.value), longest);
    const padded = (name) => {
      const values = series(name, count);
      return Array(count - values.length).fill(0).concat(values);
    };
    const spent = padded(scope);
    draw("trend", [{ name: team.value ? team.options[team.selectedIndex].text : "organization", values: spent }], count);
    const tiers = data.tiers.map((name) => ({ name: name.slice("model/".length), values: padded(name) }));
    draw("mix", tiers, count);
    const days = dates(count).map((seconds) => new Date(seconds * 1000).toISOString().slice(0, 10));
    fill("trend-table", ["day", "spent"], days.map((day, place) => [day, dollars(spent[place])]).reverse());
    fill("mix-table", ["day", ...tiers.map((tier) => tier.name)],
      days.map((day, place) => [day, ...tiers.map((tier) => dollars(tier.values[place]))]).reverse());
    document.querySelectorAll("tr[data-scope]").forEach((row) => {
      row.hidden = Boolean(team.value) && row.dataset.scope.startsWith("team/") && row.dataset.scope !== team.value;
    });
    const total = spent.reduce((sum, value) => sum + value, 0);
    document.getElementById("summary").textContent =
      `${team.value ? team.options[team.selectedIndex].text : data.organization} spent ${dollars(total)} in ${count} days`;
  }

  document.getElementById("filters").hidden = false;
  document.querySelectorAll(".needs-script").forEach((part) => { part.hidden = false; });
  team.addEventListener("change", show);
  period.addEventListener("change", show);
  window.addEventListener("resize", show);
  matchMedia("(prefers-color-scheme: dark)").addEventListener("change", show);
  show();
})();
