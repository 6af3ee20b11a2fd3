/* SPDX-License-Identifier: MIT */
/* Copyright (c) 2026 the Steelyard authors */
/*
 * What the commands print, printed by the modules of the pages:
 *
 *   node tests/figures/wasm.js playground --seed 1 --rate 200 ... --run 5000
 *   node tests/figures/wasm.js parser
 *
 * The module is loaded as the page loads it, and asked with the calls that the
 * page uses. The output must be that of build/docs/figures/playground with the
 * same flags, and of build/docs/figures/parser --trace, byte by byte.
 */
'use strict';

const fs = require('fs');
const path = require('path');

const folder = path.join(__dirname, '../../build/docs/figures');
const {figureLoad, figureString, figureNames, figurePut} =
    require(path.join(folder, 'figure.js'));

/** The module out of NAME.wasm.js, which is what the page gets. */
function moduleOf(name) {
    const script = fs.readFileSync(path.join(folder, `${name}.wasm.js`), 'utf8');
    const base64 = /figureModule = '([^']*)'/.exec(script)[1];

    return new Uint8Array(Buffer.from(base64, 'base64'));
}

function flagsOf(words) {
    const flags = [];

    for (let i = 0; i < words.length; i += 2)
        flags.push([words[i].replace(/^--/, ''), words[i + 1]]);
    return flags;
}

function playgroundLines(sim) {
    const sideNames = figureNames(sim, sim.page_side_name);
    const backendNames = figureNames(sim, sim.page_backend_name);
    const settings = figureNames(sim, sim.page_setting_name);
    const lines = [`time ${sim.page_now() / 1000}`];

    ['a', 'b'].forEach((letter, side) => {
        sideNames.forEach((name, i) => lines.push(
            `${letter}-${name} ${figureString(sim, sim.page_side_text(side, i))}`));
        for (let i = 0; i < sim.page_setting(settings.indexOf('backends')); i++)
            backendNames.forEach((name, j) => lines.push(
                `${letter}-${i + 1}-${name} ${sim.page_backend(side, i, j)}`));
    });
    return lines;
}

/** Time passes in pieces as uneven as those between a browser's frames. */
function playground(sim, words) {
    const flags = flagsOf(words);
    const valueOf = (name, usual) =>
        Number((flags.find(([flag]) => flag === name) || [0, usual])[1]);
    let left = valueOf('run', 10000) * 1000;

    sim.page_begin(valueOf('seed', 1));
    for (const [name, value] of flags) {
        if (name === 'seed' || name === 'run')
            continue;
        figurePut(sim, name, value);
        const fault = figureString(sim, sim.page_order());

        if (fault !== null)
            throw new Error(fault);
    }
    for (let piece = 1; left > 0; piece = piece * 7 % 30011 + 1) {
        sim.page_run(Math.min(left, piece));
        left -= Math.min(left, piece);
    }
    return playgroundLines(sim).join('\n') + '\n';
}

function parser(reader) {
    let out = '';

    for (let i = 0; i < reader.page_example_count(); i++) {
        const from = reader.page_example_bytes(i);
        const length = reader.page_example_length(i);
        const memory = () => new Uint8Array(reader.memory.buffer);

        reader.page_begin(reader.page_example_kind(i));
        memory().set(memory().slice(from, from + length), reader.page_room());
        for (let at = 0; at < length; at++) {
            reader.page_feed(at, 1);
            out += `example\t${figureString(reader,
                reader.page_example_name(i))}\nbytes\t${at + 1}\n` +
                figureString(reader, reader.page_beliefs());
        }
    }
    return out;
}

const [name, ...words] = process.argv.slice(2);

figureLoad(moduleOf(name)).then((parts) => {
    process.stdout.write(
        name === 'playground' ? playground(parts, words) : parser(parts));
}).catch((error) => {
    console.error(error.message);
    process.exitCode = 1;
});
