/* SPDX-License-Identifier: MIT */
/* Copyright (c) 2026 the Steelyard authors */
/*
 * The page around the parser. Each step feeds the C code anew, from the first
 * byte on, in pieces as large as asked for: so stepping back is as true as
 * stepping on. What is shown as a belief is what parser_print() wrote.
 */
'use strict';

/* What a fact is called on the page. Others are shown by their own names. */
const LABELS = {
    'host': 'host', 'framing': 'body', 'afterwards': 'afterwards',
    'content': 'content so far', 'trailers': 'trailers',
};
const HIDDEN = ['message', 'begin', 'used', 'stage', 'belief', 'field'];
const ESCAPES = {'r': 13, 'n': 10, 't': 9, '0': 0, '\\': 92};

let reader = null; /* what parser.wasm exports */
let bytes = new Uint8Array(0);
let at = 0; /* so many have come */

const byId = (id) => document.getElementById(id);
const query = new URLSearchParams(location.search);

function element(name, attributes, ...children) {
    const made = document.createElement(name);

    for (const [key, value] of Object.entries(attributes))
        made.setAttribute(key, value);
    made.append(...children);
    return made;
}

/* --- bytes and their text ------------------------------------------------- */

/** The bytes that a text in the box stands for. */
function parseText(text) {
    const list = [];

    for (let i = 0; i < text.length; i++) {
        const escape = text[i] === '\\' ? text[i + 1] : undefined;
        const hex = /^[0-9a-fA-F]{2}/.exec(text.slice(i + 2));

        if (text[i] === '\n') {
            list.push(13, 10);
        } else if (escape === 'x' && hex !== null) {
            list.push(parseInt(hex[0], 16));
            i += 3;
        } else if (escape !== undefined && escape in ESCAPES) {
            list.push(ESCAPES[escape]);
            i++;
        } else {
            list.push(...new TextEncoder().encode(text[i]));
        }
    }
    return Uint8Array.from(list);
}

/** The text that stands for these bytes. */
function printText(from) {
    let text = '';

    for (let i = 0; i < from.length; i++) {
        if (from[i] === 13 && from[i + 1] === 10) {
            text += '\n';
            i++;
        } else {
            text += printByte(from[i]);
        }
    }
    return text;
}

function printByte(byte) {
    for (const [letter, value] of Object.entries(ESCAPES))
        if (byte === value)
            return `\\${letter}`;
    if (byte < 32 || byte > 126)
        return `\\x${byte.toString(16).padStart(2, '0')}`;
    return String.fromCharCode(byte);
}

/* --- feeding -------------------------------------------------------------- */

function pieceSize() {
    return Math.max(1, Math.floor(Number(byId('piece').value)) || 1);
}

/** Feed all that has come, piece by piece, and read what is believed. */
function believe() {
    const piece = pieceSize();

    reader.page_begin(Number(byId('kind').value));
    new Uint8Array(reader.memory.buffer).set(bytes, reader.page_room());
    for (let i = 0; i < at; i += piece)
        reader.page_feed(i, Math.min(piece, at - i));
    return figureString(reader, reader.page_beliefs());
}

/** Lines of name, tab, values: first of all, then of each message. */
function understand(beliefs) {
    const all = {messages: []};
    let into = all;

    for (const line of beliefs.split('\n')) {
        const [name, ...values] = line.split('\t');

        if (name === 'message') {
            into = {fields: [], facts: []};
            all.messages.push(into);
        }
        if (name === 'field')
            into.fields.push(values);
        else if (into !== all && !HIDDEN.includes(name) && name !== '')
            into.facts.push([name, values[0]]);
        into[name] = values[0];
    }
    return all;
}

/* --- showing -------------------------------------------------------------- */

/** Which message a byte belongs to: its number, or -1. */
function ownerOf(messages, place) {
    let owner = -1;

    messages.forEach((message, i) => {
        const begin = Number(message.begin);
        const end = message.stage === 'done' ? begin + Number(message.used)
            : reader.page_read();

        if (place >= begin && place < end)
            owner = i;
    });
    return owner;
}

function showBytes(messages) {
    const pieces = [];
    let run = null;
    let runClass = null;

    bytes.forEach((byte, place) => {
        const isSign = byte < 32 || byte > 126;
        const owner = ownerOf(messages, place);
        const name = [owner < 0 ? 'to-come' : `of-${(owner + 1) % 2}`,
            place === at - 1 ? 'last' : '', isSign ? 'sign' : ''].join(' ');

        if (name !== runClass) {
            run = element('span', {class: name});
            runClass = name;
            pieces.push(run);
        }
        run.append(byte === 13 ? 'CR' : byte === 10 ? 'LF' : printByte(byte));
        if (byte === 10) {
            pieces.push(element('br', {}));
            runClass = null;
        } else if (byte === 13) {
            runClass = null;
        }
    });
    byId('bytes').replaceChildren(...pieces);
}

function fieldsTable(fields) {
    const head = element('tr', {});
    const body = element('tbody', {});

    for (const word of ['field', 'value', 'we'])
        head.append(element('th', {scope: 'col'}, word));
    for (const [name, value, use] of fields)
        body.append(element('tr', {},
            element('th', {scope: 'row'}, element('code', {}, name)),
            element('td', {}, element('code', {}, value)),
            element('td', {}, use === 'understood' ? 'know it' : 'pass it on')));
    return element('table', {}, element('thead', {}, head), body);
}

function showMessage(message, number) {
    const facts = element('dl', {},
        element('dt', {}, 'bytes'),
        element('dd', {}, `${message.used} understood, from byte ` +
            `${Number(message.begin) + 1} on`));
    const what = byId('kind').value === '0' ? 'Request' : 'Response';
    const box = element('section', {
        class: `message ${number % 2 ? 'b' : 'a'}`,
        id: `message-${number + 1}`,
    }, element('h4', {}, `${what} ${number + 1}`),
    element('p', {id: `belief-${number + 1}`}, message.belief), facts);

    for (const [name, value] of message.facts)
        facts.append(element('dt', {}, LABELS[name] || name),
            element('dd', {id: `${name}-${number + 1}`},
                element('code', {}, value === '' ? ' ' : value)));
    if (message.fields.length > 0)
        box.append(fieldsTable(message.fields));
    return box;
}

function show() {
    const all = understand(believe());
    const last = all.messages[all.messages.length - 1];

    byId('at').textContent = at;
    byId('length').textContent = bytes.length;
    byId('position').max = bytes.length;
    byId('position').step = 1;
    byId('position').value = at;
    byId('position').setAttribute('aria-valuetext',
        `${at} of ${bytes.length} bytes`);
    for (const id of ['first', 'back'])
        byId(id).disabled = at === 0;
    for (const id of ['forward', 'last'])
        byId(id).disabled = at === bytes.length;
    showBytes(all.messages);
    byId('verdict').textContent = all.verdict;
    byId('verdict').className = `belief ${last.stage}`;
    byId('end').textContent = all.end;
    byId('stopped').hidden = last.stage !== 'refused';
    byId('read').textContent = reader.page_read();
    byId('messages').replaceChildren(...all.messages.map(showMessage));
}

/* --- what a person does --------------------------------------------------- */

function go(to) {
    at = Math.max(0, Math.min(bytes.length, to));
    show();
}

function takeInput() {
    const taken = parseText(byId('input').value);

    if (taken.length > reader.page_room_size()) {
        complain(`More than ${reader.page_room_size()} bytes are not taken.`);
        return;
    }
    byId('trouble').hidden = true;
    bytes = taken;
    go(at);
}

function takeExample(number) {
    const from = reader.page_example_bytes(number);
    const length = reader.page_example_length(number);

    byId('example').value = number;
    byId('remark').textContent =
        figureString(reader, reader.page_example_remark(number));
    byId('kind').value = reader.page_example_kind(number);
    bytes = new Uint8Array(reader.memory.buffer).slice(from, from + length);
    byId('input').value = printText(bytes);
    byId('input').rows = Math.min(14, byId('input').value.split('\n').length + 1);
    go(0);
}

/** The arrows go a piece at a time; the browser would go by bytes. */
function onKey(event) {
    const step = {
        ArrowRight: pieceSize(), ArrowUp: pieceSize(),
        ArrowLeft: -pieceSize(), ArrowDown: -pieceSize(),
    }[event.key];

    if (step === undefined)
        return;
    event.preventDefault();
    go(at + step);
}

function complain(words) {
    byId('trouble').textContent = words;
    byId('trouble').hidden = false;
}

function listen() {
    const onClick = (id, to) =>
        byId(id).addEventListener('click', () => go(to()));

    onClick('first', () => 0);
    onClick('back', () => at - pieceSize());
    onClick('forward', () => at + pieceSize());
    onClick('last', () => bytes.length);
    byId('position').addEventListener('input', (event) =>
        go(Number(event.target.value)));
    byId('position').addEventListener('keydown', onKey);
    byId('piece').addEventListener('change', show);
    byId('kind').addEventListener('change', show);
    byId('input').addEventListener('input', takeInput);
    byId('example').addEventListener('change', (event) =>
        takeExample(Number(event.target.value)));
    byId('controls').addEventListener('submit', (event) =>
        event.preventDefault());
}

function start(parts) {
    const count = parts.page_example_count();
    const wanted = Math.floor(Number(query.get('example'))) || 0;

    reader = parts;
    byId('figure').hidden = false;
    for (let i = 0; i < count; i++)
        byId('example').append(element('option', {value: i},
            figureString(reader, reader.page_example_name(i))));
    takeExample(wanted >= 0 && wanted < count ? wanted : 0);
    if (query.has('at'))
        go(Math.floor(Number(query.get('at'))) || 0);
    listen();
    document.body.dataset.ready = 'yes';
}

window.addEventListener('error', (event) =>
    complain(`The figure has stopped: ${event.message}`));
figureLoad(figureBytes(figureModule)).then(start).catch((error) => {
    complain(`The figure has stopped: ${error.message}`);
    throw error;
});
