"use strict";
(() => {
  const WIDTH = 1000, COLUMNS = 500, LEAST = 4, TICKS = 8;
  const UNITS = ["bytes", "KiB", "MiB", "GiB", "TiB", "PiB"];
  const clamp = (x, low, high) => Math.min(Math.max(x, low), high);

  const iec = (bytes) => {
    let unit = 0;
    for (; bytes >= 1024 && unit < 5; unit++) bytes /= 1024;
    return `${Math.floor(bytes * 100) / 100} ${UNITS[unit]}`;
  };

  // How much lies between two offsets, of amounts that lie evenly between the edges.
  const curve = (edges, amounts) => {
    const sums = [0];
    for (const amount of amounts) sums.push(sums.at(-1) + amount);
    const upto = (x) => {
      let low = 0, high = amounts.length;
      while (high - low > 1) {
        const middle = (low + high) >> 1;
        if (edges[middle] <= x) low = middle; else high = middle;
      }
      return sums[low] + amounts[low] * clamp((x - edges[low]) / (edges[low + 1] - edges[low]), 0, 1);
    };
    return (from, to) => upto(to) - upto(from);
  };

  const read = (text) => {
    const { size, block, per, pieces, spans } = JSON.parse(text);
    const at = (count) => Math.min(count * block, size);
    const total = Math.ceil(size / block);
    const edges = [0], blocks = [], data = [], unread = [], records = [], stored = [], free = [];
    for (const [repeat, ...amounts] of pieces) {
      for (let i = 0; i < repeat; i++) {
        const first = blocks.length * per;
        [blocks, data, unread, records, stored, free].forEach((list, kind) =>
          list.push(kind === 0 ? Math.min(per, total - first) : amounts[kind - 1]));
        edges.push(at(first + per));
      }
    }
    const of = (list) => curve(edges, list);
    const map = { size, block, total, blocks: of(blocks), data: of(data), unread: of(unread), records: of(records), stored: of(stored), free: of(free) };
    if (spans) {
      const ends = [0];
      let count = 0;
      for (const [length] of spans) ends.push(at(count += length));
      const kind = (...wanted) => curve(ends, spans.map(([length, state]) => (wanted.includes(state) ? length : 0)));
      Object.assign(map, { data: kind(1, 3), free: kind(3), unread: kind(2), blocks: curve(ends, spans.map(([length]) => length)) });
    }
    return map;
  };

  const setUp = (figure) => {
    const map = read(figure.dataset.map);
    const plot = figure.querySelector(".plot"), readout = figure.querySelector(".readout");
    const boxes = [...figure.querySelectorAll("[data-from]")].map((box) => ({ box, from: Number(box.dataset.from), to: Number(box.dataset.to) }));
    const axis = figure.querySelector(".axis");
    let start = 0, end = map.size;

    const draw = (path, share) => {
      if (!path) return;
      const height = path.ownerSVGElement.viewBox.baseVal.height;
      let d = "";
      for (let i = 0; i < COLUMNS; i++) {
        const from = start + (end - start) * i / COLUMNS, to = start + (end - start) * (i + 1) / COLUMNS;
        const part = share(from, to);
        if (!(part > 1e-9)) continue;
        const tall = part > 1 - 1e-9 ? height : clamp(part * height, LEAST, height - LEAST);
        const x = i * WIDTH / COLUMNS;
        d += `M${x} ${(height - tall).toFixed(1)}H${x + WIDTH / COLUMNS}V${height}H${x}z`;
      }
      path.setAttribute("d", d);
    };

    const drawAxis = () => {
      let step = 1;
      while ((end - start) / step > TICKS) step *= 2;
      axis.replaceChildren();
      for (let tick = Math.ceil(start / step) * step; tick <= end; tick += step) {
        const label = document.createElement("span");
        label.style.left = `${(tick - start) / (end - start) * 100}%`;
        label.textContent = iec(tick);
        axis.append(label);
      }
    };

    const counted = (number) => {
      const whole = Math.round(number);
      return Math.abs(number - whole) < 1e-6 ? `${whole}` : `about ${Math.max(whole, 1)}`;
    };

    const describe = () => {
      const [blocks, data, unread, free] = [map.blocks, map.data, map.unread, map.free].map((of) => of(start, end));
      const zeros = Math.max(blocks - data - unread, 0);
      let text = start === 0 && end === map.size ? "Whole disk: " : "Shown: ";
      text += `offsets ${start} to ${end} (${iec(start)} to ${iec(end)}); ${counted(blocks)} blocks: ${counted(data)} with data`;
      if (free > 0) text += `, ${counted(free)} of them free`;
      text += `, ${counted(zeros)} of zeros`;
      if (unread > 0) text += `, ${counted(unread)} not checked`;
      const stored = map.stored(start, end);
      if (stored > 0) text += `; stored in ${iec(Math.round(stored))}`;
      return `${text}.`;
    };

    const render = () => {
      const blocks = (from, to) => map.blocks(from, to) || 1;
      draw(figure.querySelector(".blocks .data"), (from, to) => (map.data(from, to) - map.free(from, to)) / blocks(from, to));
      draw(figure.querySelector(".blocks .free"), (from, to) => (map.free(from, to) > 0 ? map.data(from, to) / blocks(from, to) : 0));
      draw(figure.querySelector(".blocks .unread"), (from, to) => {
        const unread = map.unread(from, to);
        return unread > 0 ? (unread + map.data(from, to)) / blocks(from, to) : 0;
      });
      draw(figure.querySelector(".stored .data"), (from, to) => map.stored(from, to) / (map.records(from, to) * map.block || 1));
      for (const { box, from, to } of boxes) {
        const left = clamp((from - start) / (end - start), 0, 1), right = clamp((to - start) / (end - start), 0, 1);
        box.hidden = to <= start || from >= end;
        box.style.left = `${left * 100}%`;
        box.style.width = `${(right - left) * 100}%`;
        box.classList.toggle("right", left > 0.5);
      }
      drawAxis();
      readout.textContent = describe();
      for (const button of figure.querySelectorAll("[data-do]")) {
        const all = start === 0 && end === map.size;
        const idle = { in: end - start <= Math.min(map.block, map.size), out: all, whole: all, back: start === 0, on: end === map.size };
        button.setAttribute("aria-disabled", String(idle[button.dataset.do]));
      }
    };

    // Whole bytes, never less than a block, and never beyond the disk.
    const show = (from, to, told) => {
      const width = clamp(Math.round(to - from), Math.min(map.block, map.size), map.size);
      start = clamp(Math.round(from), 0, map.size - width);
      end = start + width;
      render();
      const address = start === 0 && end === map.size ? location.pathname + location.search : `#${figure.id}=${start}-${end}`;
      if (told) history.replaceState(null, "", address);
    };
    const zoom = (factor, at = (start + end) / 2) => show(at - (at - start) * factor, at + (end - at) * factor, true);
    const move = (share) => show(start + (end - start) * share, end + (end - start) * share, true);
    const actions = { in: () => zoom(0.5), out: () => zoom(2), back: () => move(-0.25), on: () => move(0.25), whole: () => show(0, map.size, true) };
    const keys = { "+": "in", "=": "in", "-": "out", ArrowLeft: "back", ArrowRight: "on", Home: "whole" };

    figure.querySelectorAll("[data-do]").forEach((button) => button.addEventListener("click", actions[button.dataset.do]));
    plot.addEventListener("keydown", (event) => {
      const action = actions[keys[event.key]];
      if (!action || event.ctrlKey || event.metaKey || event.altKey) return;
      event.preventDefault();
      action();
    });
    plot.addEventListener("click", (event) => {
      const box = event.target.closest("li[data-from]");
      if (!box) return;
      event.preventDefault();
      const from = Number(box.dataset.from), to = Number(box.dataset.to), margin = (to - from) / 20;
      show(Math.max(from - margin, 0), Math.min(to + margin, map.size), true);
    });
    const offset = (x) => {
      const box = plot.getBoundingClientRect();
      return start + (end - start) * clamp((x - box.left) / box.width, 0, 1);
    };
    plot.addEventListener("wheel", (event) => {
      const whole = start === 0 && end === map.size;
      if (!(event.ctrlKey || plot.contains(document.activeElement)) || (whole && event.deltaY > 0)) return;
      event.preventDefault();
      zoom(2 ** (clamp(event.deltaY, -100, 100) / 200), offset(event.clientX));
    }, { passive: false });

    // One pointer moves, two pinch.
    const fingers = new Map();
    const spread = () => { const [a, b] = [...fingers.values()]; return Math.max(Math.abs(a - b), 1); };
    plot.addEventListener("pointerdown", (event) => fingers.set(event.pointerId, event.clientX));
    plot.addEventListener("pointermove", (event) => {
      if (!fingers.has(event.pointerId)) return;
      const before = fingers.get(event.pointerId), apart = fingers.size > 1 ? spread() : 0;
      fingers.set(event.pointerId, event.clientX);
      if (fingers.size > 1) zoom(apart / spread(), offset(event.clientX));
      else if (event.clientX !== before) move((before - event.clientX) / plot.clientWidth);
    });
    for (const type of ["pointerup", "pointercancel", "pointerleave"]) plot.addEventListener(type, (event) => fingers.delete(event.pointerId));

    // "#disk-1=FROM-TO", or the id of a partition's line.
    const follow = () => {
      const range = location.hash.match(/^#(.+)=(\d+)-(\d+)$/);
      const link = [...figure.querySelectorAll("li a")].find((a) => a.hash === location.hash);
      if (range && range[1] === figure.id) show(Number(range[2]), Number(range[3]), false);
      else if (link) show(Number(link.parentNode.dataset.from), Number(link.parentNode.dataset.to), false);
      else return;
      figure.scrollIntoView();
    };
    let before = null;
    addEventListener("hashchange", follow);
    addEventListener("beforeprint", () => { before ??= [start, end]; show(0, map.size, false); });
    addEventListener("afterprint", () => { if (before) show(...before, false); before = null; });
    figure.querySelectorAll("[hidden]").forEach((hidden) => { hidden.hidden = false; });
    plot.tabIndex = 0;
    render();
    follow();
  };

  document.querySelectorAll("figure[data-map]").forEach(setUp);
})();
