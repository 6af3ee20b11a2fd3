/* SPDX-License-Identifier: MIT */
/* Copyright (c) 2026 the Steelyard authors */
/*
 * The page around the playground. All that is simulated happens in C; here its
 * numbers are shown, and what a person does is handed on. Simulated time passes
 * in whole milliseconds, so that what was done by hand can be written down as a
 * command that comes to the same numbers.
 *
 * Many ids are made of a side (a, b), a backend (1, 2, ...) and a fact:
 * a-served, b-2-picked. docs/figures/README.md lists them.
 */
'use strict';

const SIDES = ['a', 'b'];
const FACT_WORDS = {
    'arrivals': 'came', 'served': 'served', 'in-flight': 'on their way',
    'lost': 'lost', 'p50': 'p50, ms', 'p99': 'p99, ms',
};
const DOT_US = 250000; /* so long a dot takes from the left to its backend */
const LANE = 22;       /* height of a backend's lane, in pixels */
const SPEAK_MS = 6000; /* so often the summary is spoken while time runs */

let sim = null;      /* what playground.wasm exports */
let names = null;    /* of settings, facts, policies */
let isRunning = true;
let lastFrame = null;
let lastSpoken = 0;
let planned = [];    /* those of them that the address asks for */
let deaths = [];     /* what was killed and revived, as orders */
let isRepeatable = true;

const byId = (id) => document.getElementById(id);
const query = new URLSearchParams(location.search);
const isStill = matchMedia('(prefers-reduced-motion: reduce)');

function element(name, attributes, ...children) {
    const made = document.createElement(name);

    for (const [key, value] of Object.entries(attributes))
        made.setAttribute(key, value);
    made.append(...children);
    return made;
}

/** Give an order to the C code; returns why not, or null. */
function order(name, value) {
    figurePut(sim, name, String(value));
    return figureString(sim, sim.page_order());
}

function backendCount() {
    return sim.page_setting(names.settings.indexOf('backends'));
}

function nowMs() {
    return Math.round(sim.page_now() / 1000);
}

/* --- building the page ---------------------------------------------------- */

function buildSliders() {
    names.settings.forEach((name, i) => {
        const slider = byId(name);

        slider.min = sim.page_setting_lowest(i);
        slider.max = sim.page_setting_highest(i);
        slider.addEventListener('input', () => turn(name));
    });
}

function buildSide(letter, side) {
    const select = element('select', {id: `${letter}-policy`});
    const facts = element('dl', {class: 'facts'});

    for (const policy of names.policies)
        select.append(element('option', {value: policy}, policy));
    select.addEventListener('change', () => choose(letter, side));
    for (const fact of names.side)
        facts.append(element('div', {},
            element('dt', {}, FACT_WORDS[fact]),
            element('dd', {id: `${letter}-${fact}`}, '0')));
    byId(letter).replaceChildren(
        element('h3', {id: `${letter}-title`},
            element('label', {for: `${letter}-policy`},
                `Balancer ${letter.toUpperCase()}, policy`), select),
        element('canvas', {id: `${letter}-flow`, role: 'img', 'aria-label':
            'Dots: requests sent in the last quarter of a second. Squares: ' +
            'requests that are with each backend. The table has the numbers.'}),
        facts,
        element('table', {id: `${letter}-backends`}));
}

function buildTable(letter) {
    const head = element('tr', {}, element('th', {scope: 'col'}, 'backend'));
    const body = element('tbody', {});

    for (const fact of ['sent to it', 'served', 'with it', 'lost'])
        head.append(element('th', {scope: 'col'}, fact));
    for (let i = 1; i <= backendCount(); i++) {
        const row = element('tr', {id: `${letter}-${i}`},
            element('th', {scope: 'row'}, String(i),
                element('span', {id: `${letter}-${i}-state`})));

        for (const fact of names.backend) {
            const cell = element('td', {},
                element('span', {id: `${letter}-${i}-${fact}`}, '0'));

            if (fact === 'picked') {
                cell.className = 'share';
                cell.append(element('span',
                    {class: 'bar', id: `${letter}-${i}-bar`}));
            }
            row.append(cell);
        }
        body.append(row);
    }
    byId(`${letter}-backends`).replaceChildren(element('thead', {}, head), body);
}

function buildBackendControls(weights) {
    const rows = [byId('backend-controls').querySelector('legend')];

    for (let i = 1; i <= backendCount(); i++) {
        const weight = element('input', {id: `weight-${i}`, type: 'number',
            min: 1, max: 10, value: weights[i - 1] || 1});
        const button = element('button', {id: `kill-${i}`, type: 'button'},
            'Kill');

        weight.addEventListener('change', () => turn(`weight-${i}`));
        button.addEventListener('click', () => killOrRevive(i));
        rows.push(element('div', {class: 'backend-control'},
            element('label', {for: `weight-${i}`}, `${i}: weight`), weight,
            button));
    }
    byId('backend-controls').replaceChildren(...rows);
}

/* --- what a person does --------------------------------------------------- */

/** An order has been followed; can a command still say all of it? */
function note(name, value) {
    if (nowMs() > 0 && name !== 'kill' && name !== 'revive')
        isRepeatable = false;
    if (name === 'kill' || name === 'revive')
        deaths.push([name, value]);
}

function turn(name) {
    const input = byId(name);

    if (name === 'backends') {
        begin();
        return;
    }
    if (order(name, input.value) !== null)
        input.value = 1; /* a weight that is none */
    note(name, input.value);
    show();
}

function choose(letter, side) {
    order(letter, byId(`${letter}-policy`).value);
    note(letter, figureString(sim, sim.page_side_policy(side)));
    show();
}

function killOrRevive(number) {
    const isAlive = sim.page_is_alive(number - 1) !== 0;

    sim.page_set_alive(number - 1, isAlive ? 0 : 1);
    note(isAlive ? 'kill' : 'revive', `${number}@${nowMs()}`);
    show();
    speak();
}

/** All that is set, as pairs of a name and a value. */
function settings() {
    const pairs = SIDES.map((letter) => [letter, byId(`${letter}-policy`).value]);

    for (const name of names.settings)
        pairs.push([name, byId(name).value]);
    for (const weight of byId('backend-controls').querySelectorAll('input'))
        if (weight.value !== '1')
            pairs.push([weight.id, weight.value]);
    return pairs;
}

/** Begin at time 0 with what is set now, and what the address has planned. */
function begin() {
    const pairs = settings();
    const weights = [];

    sim.page_begin(Number(byId('seed').value) >>> 0);
    deaths = [];
    isRepeatable = true;
    for (const [name, value] of pairs) {
        order(name, value);
        if (name.startsWith('weight-'))
            weights[name.slice('weight-'.length) - 1] = value;
    }
    for (const [name, value] of planned)
        if (order(name, value) === null)
            note(name, value);
    SIDES.forEach((letter, side) => {
        byId(`${letter}-policy`).value =
            figureString(sim, sim.page_side_policy(side));
    });
    buildBackendControls(weights);
    SIDES.forEach(buildTable);
    show();
}

/** Let so many milliseconds pass. */
function pass(ms) {
    for (let left = ms; left > 0; left -= 1000)
        sim.page_run(Math.min(left, 1000) * 1000);
}

/* --- showing -------------------------------------------------------------- */

function showSide(letter, side) {
    const facts = names.backend;
    let most = 1;

    names.side.forEach((fact, i) => {
        byId(`${letter}-${fact}`).textContent =
            figureString(sim, sim.page_side_text(side, i));
    });
    for (let i = 0; i < backendCount(); i++)
        most = Math.max(most, sim.page_backend(side, i, 0));
    for (let i = 0; i < backendCount(); i++) {
        const isAlive = sim.page_is_alive(i) !== 0;
        const isUp = sim.page_is_up(i) !== 0;

        facts.forEach((fact, j) => {
            byId(`${letter}-${i + 1}-${fact}`).textContent =
                sim.page_backend(side, i, j);
        });
        byId(`${letter}-${i + 1}-bar`).style.width =
            `${100 * sim.page_backend(side, i, 0) / most}%`;
        byId(`${letter}-${i + 1}`).className =
            isUp ? isAlive ? '' : 'is-dead' : 'is-down';
        byId(`${letter}-${i + 1}-state`).textContent =
            isUp ? isAlive ? '' : ' dead' : isAlive ? ' back' : ' down';
    }
}

/** Dots that go to the backends, and squares of what is with each. */
function drawFlow(letter, side) {
    const canvas = byId(`${letter}-flow`);
    const style = getComputedStyle(byId(letter));
    const scale = window.devicePixelRatio || 1;
    const width = canvas.clientWidth;
    const height = backendCount() * LANE;
    const paint = canvas.getContext('2d');
    const goal = width * 0.45;

    canvas.width = width * scale;
    canvas.height = height * scale;
    canvas.style.height = `${height}px`;
    paint.scale(scale, scale);
    paint.strokeStyle = style.getPropertyValue('--line');
    paint.fillStyle = style.getPropertyValue('--faint');
    paint.font = '12px system-ui, sans-serif';
    paint.textBaseline = 'middle';
    for (let i = 0; i < backendCount(); i++) {
        paint.beginPath();
        paint.moveTo(4, height / 2);
        paint.lineTo(goal, (i + 0.5) * LANE);
        paint.stroke();
        paint.fillText(String(i + 1), goal + 4, (i + 0.5) * LANE);
    }
    paint.fillText('clients', 0, height / 2 - 14);
    drawQueues(paint, style, side, goal + 18, width);
    if (!isStill.matches)
        drawDots(paint, style, side, goal, height);
}

function drawQueues(paint, style, side, left, width) {
    const inFlight = names.backend.indexOf('in-flight');
    const wide = Math.min(7, (width - left) / 50); /* 100 fit in two rows */

    for (let i = 0; i < backendCount(); i++) {
        const count = sim.page_backend(side, i, inFlight);
        const top = i * LANE + 3;

        paint.fillStyle = style.getPropertyValue('--hue');
        for (let j = 0; j < count; j++)
            paint.fillRect(left + wide * (j >> 1), top + (j & 1 ? 9 : 1),
                wide * 0.7, 6);
        if (sim.page_is_alive(i) === 0) {
            paint.fillStyle = style.getPropertyValue('--bad');
            paint.fillText('dead', left, top + LANE / 2 - 3);
        }
    }
}

function drawDots(paint, style, side, goal, height) {
    const now = sim.page_now();

    paint.fillStyle = style.getPropertyValue('--hue');
    for (let back = 0;; back++) {
        const at = sim.page_pick_time(side, back);
        const way = (now - at) / DOT_US;

        if (at < 0 || way > 1)
            return;
        const to = (sim.page_pick_backend(side, back) + 0.5) * LANE;

        paint.beginPath();
        paint.arc(4 + way * (goal - 4), height / 2 + way * (to - height / 2),
            2.5, 0, 7);
        paint.fill();
    }
}

function drawHistory(id, valueOf, divisor) {
    const lines = byId(id).querySelectorAll('polyline');
    const count = sim.page_history_count();
    const points = SIDES.map((letter, side) => {
        const values = [];

        for (let i = 0; i < count; i++)
            values.push(valueOf(side, i) / divisor);
        return values;
    });
    const top = Math.max(1, ...points.flat());

    byId(`${id}-top`).textContent = Math.ceil(top);
    points.forEach((values, side) => {
        lines[side].setAttribute('points', values.map((value, i) =>
            `${240 - 2 * (count - 1 - i)},${58 - 55 * value / top}`).join(' '));
    });
}

function showCommand() {
    const words = ['build/docs/figures/playground', '--seed',
        String(Number(byId('seed').value) >>> 0)];

    if (!isRepeatable) {
        byId('command').textContent =
            'Something was turned on the way, which no command can repeat.';
        return;
    }
    for (const [name, value] of settings().concat(deaths))
        words.push(`--${name}`, value);
    words.push('--run', String(nowMs()));
    byId('command').textContent = words.join(' ');
}

function show() {
    byId('time').textContent = nowMs();
    names.settings.forEach((name, i) => {
        byId(`${name}-value`).textContent = sim.page_setting(i);
    });
    for (let i = 0; i < backendCount(); i++)
        byId(`kill-${i + 1}`).textContent =
            sim.page_is_alive(i) !== 0 ? 'Kill' : 'Revive';
    SIDES.forEach((letter, side) => {
        showSide(letter, side);
        drawFlow(letter, side);
    });
    drawHistory('history-in-flight', sim.page_history_in_flight, 1);
    drawHistory('history-p99', sim.page_history_p99, 1000);
    showCommand();
}

/** Tell those who listen, not at every frame. */
function speak() {
    const sentences = SIDES.map((letter) =>
        `${letter.toUpperCase()}, ${byId(`${letter}-policy`).value}: ` +
        `${byId(`${letter}-served`).textContent} served, ` +
        `${byId(`${letter}-lost`).textContent} lost, ` +
        `p99 ${byId(`${letter}-p99`).textContent} ms.`);

    byId('summary').textContent =
        `After ${(nowMs() / 1000).toFixed(1)} s. ${sentences.join(' ')}`;
    lastSpoken = performance.now();
}

/* --- time ----------------------------------------------------------------- */

function setRunning(running) {
    isRunning = running;
    lastFrame = null;
    byId('run').textContent = running ? 'Pause' : 'Run';
    if (!running)
        speak();
}

function frame(time) {
    if (isRunning) {
        const real = lastFrame === null ? 0 : Math.min(time - lastFrame, 100);
        const ms = Math.floor(real * Number(byId('speed').value));

        /* What is less than a millisecond waits for the next frame. */
        if (lastFrame === null || ms > 0) {
            lastFrame = time;
            pass(ms);
            show();
        }
        if (time - lastSpoken > SPEAK_MS)
            speak();
    }
    requestAnimationFrame(frame);
}

/* --- the beginning -------------------------------------------------------- */

/** What the address says: settings at once, deaths when their time comes. */
function followAddress() {
    const faults = [];

    for (const name of ['speed', 'seed', ...SIDES.map((l) => `${l}-policy`)]) {
        const value = query.get(name.replace('-policy', ''));

        if (value !== null)
            byId(name).value = value;
    }
    for (const name of names.settings)
        if (query.has(name))
            byId(name).value = query.get(name);
    begin();
    for (const [name, value] of query) {
        if (['speed', 'seed', 'run', 'paused'].includes(name))
            continue;
        const fault = order(name, value);

        if (fault !== null)
            faults.push(fault);
        else if (name.startsWith('weight-') && byId(name) !== null)
            byId(name).value = value;
        else if (name === 'kill' || name === 'revive')
            planned.push([name, value]);
    }
    planned.forEach(([name, value]) => note(name, value));
    if (faults.length > 0)
        complain(`In the address: ${faults.join('; ')}.`);
    pass(Math.min(Number(query.get('run')) || 0, 3600000));
}

function complain(words) {
    byId('trouble').textContent = words;
    byId('trouble').hidden = false;
}

function start(parts) {
    sim = parts;
    names = {
        settings: figureNames(sim, sim.page_setting_name),
        policies: figureNames(sim, sim.page_policy_name),
        side: figureNames(sim, sim.page_side_name),
        backend: figureNames(sim, sim.page_backend_name),
    };
    sim.page_begin(1);
    byId('figure').hidden = false;
    buildSliders();
    names.settings.forEach((name, i) => {
        byId(name).value = sim.page_setting(i);
    });
    SIDES.forEach((letter, side) => {
        buildSide(letter, side);
        byId(`${letter}-policy`).value =
            figureString(sim, sim.page_side_policy(side));
    });
    followAddress();
    byId('run').addEventListener('click', () => setRunning(!isRunning));
    byId('step').addEventListener('click', () => {
        setRunning(false);
        pass(100);
        show();
    });
    byId('restart').addEventListener('click', () => {
        begin();
        speak();
    });
    byId('seed').addEventListener('change', begin);
    byId('controls').addEventListener('submit', (event) =>
        event.preventDefault());
    window.addEventListener('resize', show);
    show();
    setRunning(query.get('paused') !== '1');
    document.body.dataset.ready = 'yes';
    requestAnimationFrame(frame);
}

window.addEventListener('error', (event) =>
    complain(`The figure has stopped: ${event.message}`));
figureLoad(figureBytes(figureModule)).then(start).catch((error) => {
    complain(`The figure has stopped: ${error.message}`);
    throw error;
});
