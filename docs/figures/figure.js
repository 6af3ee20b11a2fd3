/* SPDX-License-Identifier: MIT */
/* Copyright (c) 2026 the Steelyard authors */
/*
 * What all figures need: a module of WebAssembly is loaded, and its words are
 * read. NAME.wasm.js brings the module along as `figureModule`, in base64, so
 * that a page can be opened as a file.
 */
'use strict';

/** Whatever its C library asks of a system, beyond writing, is not there. */
const FIGURE_NOT_THERE = 52;

/** What the C code wants to write: only must() does, before it stops. */
function figureWrite(memory, list, count, written) {
    const view = new DataView(memory.buffer);
    let text = '';
    let sum = 0;

    for (let i = 0; i < count; i++) {
        const at = view.getUint32(list + 8 * i, true);
        const length = view.getUint32(list + 8 * i + 4, true);

        text += new TextDecoder().decode(
            new Uint8Array(memory.buffer, at, length));
        sum += length;
    }
    console.error(text);
    view.setUint32(written, sum, true);
    return 0;
}

/** Make a module run; bytes is a Uint8Array. Returns a promise of its parts. */
async function figureLoad(bytes) {
    const module = await WebAssembly.compile(bytes);
    const imports = {};
    let memory = null;

    for (const {module: from, name} of WebAssembly.Module.imports(module)) {
        imports[from] = imports[from] || {};
        imports[from][name] = () => FIGURE_NOT_THERE;
        if (name === 'fd_write')
            imports[from][name] = (file, list, count, written) =>
                figureWrite(memory, list, count, written);
    }
    const instance = await WebAssembly.instantiate(module, imports);

    memory = instance.exports.memory;
    instance.exports._initialize();
    return instance.exports;
}

/** The bytes of what NAME.wasm.js brings along. */
function figureBytes(base64) {
    return Uint8Array.from(atob(base64), (letter) => letter.charCodeAt(0));
}

/** A string of C, which a zero byte ends; null for NULL. */
function figureString(parts, at) {
    if (at === 0)
        return null;
    const bytes = new Uint8Array(parts.memory.buffer);

    return new TextDecoder().decode(bytes.subarray(at, bytes.indexOf(0, at)));
}

/** All names that a function gives for 0, 1, 2 ... until NULL. */
function figureNames(parts, nameOf) {
    const names = [];

    for (let i = 0;; i++) {
        const name = figureString(parts, nameOf(i));

        if (name === null)
            return names;
        names.push(name);
    }
}

/** Put words, each ended by a zero byte, where the C code looks for them. */
function figurePut(parts, ...words) {
    const bytes = new TextEncoder().encode(words.join('\0') + '\0');

    if (bytes.length > parts.page_room_size())
        throw new RangeError('these words are too long');
    new Uint8Array(parts.memory.buffer).set(bytes, parts.page_room());
}

if (typeof module !== 'undefined')
    module.exports = {figureLoad, figureString, figureNames, figurePut};
