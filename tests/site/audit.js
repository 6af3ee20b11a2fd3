/* SPDX-License-Identifier: MIT */
/* Copyright (c) 2026 the Steelyard authors */
/*
 * What a page of the site is asked in the browser: site_test.c runs all of this
 * in the page, with one call of a function below it. Each returns a list of
 * sentences about what is wrong, so an empty one is good.
 */
'use strict';

const all = (selector) => [...document.querySelectorAll(selector)];

function isSeen(element) {
    return element.checkVisibility({visibilityProperty: true});
}

/** A few words by which somebody finds the element. */
function name(element) {
    const words = element.textContent.trim().replace(/\s+/g, ' ').slice(0, 40);

    return `${element.tagName.toLowerCase()}` +
        `${element.id ? `#${element.id}` : ''} "${words}"`;
}

/* --- headings, pictures, controls ----------------------------------------- */

function headingFaults() {
    const levels = all('h1, h2, h3, h4, h5, h6').filter(isSeen)
        .map((heading) => Number(heading.tagName[1]));
    const faults = [];

    if (levels[0] !== 1 || levels.filter((level) => level === 1).length !== 1)
        faults.push(`its headings of level 1 are wrong: ${levels}`);
    if (levels.some((level, i) => i > 0 && level > levels[i - 1] + 1))
        faults.push(`a level of headings is left out: ${levels}`);
    return faults;
}

function isNamed(control) {
    return Boolean(control.getAttribute('aria-label') ||
        control.getAttribute('aria-labelledby') ||
        [...(control.labels || [])].some((label) => label.textContent.trim()) ||
        (control.matches('button, a, summary') &&
            (control.textContent.trim() || control.querySelector('img[alt]'))));
}

/** All that can be said of a page by looking at its elements. */
function pageFaults() {
    const faults = headingFaults();
    const [load] = performance.getEntriesByType('navigation');

    if (load.responseStatus !== 200)
        faults.push(`the server says ${load.responseStatus}`);
    for (const picture of all('img'))
        if (!picture.alt)
            faults.push(`no alt: ${picture.src}`);
        else if (picture.complete && picture.naturalWidth === 0)
            faults.push(`does not load: ${picture.src}`);
    for (const picture of all('svg[role="img"], canvas, [role="group"]'))
        if (!picture.getAttribute('aria-label'))
            faults.push(`no words for a picture: ${name(picture)}`);
    for (const control of all('input, select, textarea, button, summary, a[href]'))
        if (!isNamed(control))
            faults.push(`no label: ${name(control)}`);
    for (const link of all('a[href]'))
        if (!URL.canParse(link.getAttribute('href'), location.href))
            faults.push(`no address: ${link.getAttribute('href')}`);
    for (const element of all('[onclick]'))
        if (!element.matches('a[href], button, input, summary'))
            faults.push(`for the mouse alone: ${name(element)}`);
    if (document.documentElement.lang !== 'en' || !document.title)
        faults.push('no language or no title');
    if (all('main').length !== 1)
        faults.push('no main part');
    return faults;
}

/* --- links ---------------------------------------------------------------- */

/** Where this page leads, within the site. */
function pageLinks() {
    return [...new Set(all('a[href], area[href]')
        .map((link) => link.getAttribute('href'))
        .filter((address) => URL.canParse(address, location.href))
        .map((address) => new URL(address, location.href))
        .filter((url) => url.origin === location.origin)
        .map((url) => url.href))];
}

/** Which of these links lead nowhere? Each page is loaded once. */
async function deadLinks(links) {
    const faults = [];
    const wanted = new Map();

    for (const link of links) {
        const [page, anchor] = link.split('#');

        wanted.set(page, [...(wanted.get(page) ?? []), anchor ?? '']);
    }
    const look = async ([page, anchors]) => {
        const answer = await fetch(page);
        const text = await answer.text();

        if (!answer.ok)
            faults.push(`${page}: ${answer.status}`);
        if (!answer.ok || anchors.every((anchor) => anchor === ''))
            return;
        const there = new DOMParser().parseFromString(text, 'text/html');

        for (const anchor of anchors.map(decodeURIComponent))
            if (anchor !== '' && there.getElementById(anchor) === null &&
                there.getElementsByName(anchor).length === 0)
                faults.push(`${page}: there is no #${anchor}`);
    };
    const rows = [...wanted];

    for (let i = 0; i < rows.length; i += 8)
        await Promise.all(rows.slice(i, i + 8).map(look));
    return faults;
}

/* --- width ---------------------------------------------------------------- */

/** Is something wider than the window, and what? */
function widthFaults(width) {
    const root = document.documentElement;
    const isIn = (element) => { /* something that scrolls by itself */
        for (let up = element.parentElement; up !== root; up = up.parentElement)
            if (getComputedStyle(up).overflowX !== 'visible')
                return true;
        return false;
    };

    if (root.scrollWidth <= width)
        return [];
    return [`${root.scrollWidth} pixels wide: ` +
        all('body *').filter((element) => isSeen(element) &&
            element.getBoundingClientRect().right > width + 1 &&
            !isIn(element)).slice(0, 3).map(name).join(', ')];
}

/* --- contrast (WCAG 2.1, 1.4.3) ------------------------------------------- */

/** [red, green, blue, how much it covers] of a computed colour. */
function colour(text) {
    const [r, g, b, a] = text.match(/[\d.]+/g)?.map(Number) ?? [0, 0, 0, 0];
    const scale = text.startsWith('color(') ? 255 : 1;

    return [r * scale, g * scale, b * scale, a ?? 1];
}

function over(top, below) {
    return [0, 1, 2].map((i) => top[i] * top[3] + below[i] * (1 - top[3]))
        .concat(1);
}

function ground(element) {
    const layers = [];

    for (let at = element; at !== null; at = at.parentElement)
        layers.unshift(colour(getComputedStyle(at).backgroundColor));
    return layers.reduce((below, layer) => over(layer, below),
        [255, 255, 255, 1]);
}

function lightness(of) {
    const [r, g, b] = of.slice(0, 3).map((value) => value / 255)
        .map((value) => value <= 0.03928 ? value / 12.92
            : ((value + 0.055) / 1.055) ** 2.4);

    return 0.2126 * r + 0.7152 * g + 0.0722 * b;
}

function contrast(element) {
    const style = getComputedStyle(element);
    const below = ground(element);
    const ink = colour(element instanceof SVGElement ? style.fill : style.color);
    const [dark, light] = [lightness(over(ink, below)), lightness(below)]
        .sort((a, b) => a - b);

    return (light + 0.05) / (dark + 0.05);
}

/** Text that is hard to read: under 4.5, once for each kind. */
function contrastFaults() {
    const kinds = new Map();

    for (const element of all('body *')) {
        const hasText = [...element.childNodes].some((node) =>
            node.nodeType === Node.TEXT_NODE && node.data.trim() !== '');

        if (!hasText || !isSeen(element) || element.closest('.unseen, .skip') ||
            element.matches(':disabled, option, script, noscript'))
            continue;
        const kind = `${element.tagName} ${element.className} ` +
            `${getComputedStyle(element).color}`;

        if (!kinds.has(kind) || contrast(element) < kinds.get(kind)[0])
            kinds.set(kind, [contrast(element), element]);
    }
    return [...kinds.values()].filter(([value]) => value < 4.5)
        .map(([value, element]) => `${value.toFixed(2)}: ${name(element)}`);
}

/* --- the keyboard --------------------------------------------------------- */

/** Can it be seen that the element that has the focus has it? */
function focusFaults() {
    const active = document.activeElement;
    const style = getComputedStyle(active);

    if (active === document.body)
        return ['nothing has the focus'];
    return style.outlineStyle !== 'none' && parseFloat(style.outlineWidth) >= 1
        ? [] : [`no sign of the focus: ${name(active)}`];
}

/* --- the figures ---------------------------------------------------------- */

/** The numbers of the playground: a text for each of these ids. */
function numbersOf(ids) {
    return ids.map((id) => `${id} ${document.getElementById(id)?.textContent}\n`)
        .join('');
}

/** What the parser's page says after each byte, to the end of its example. */
function parserSteps() {
    const text = (id) => document.getElementById(id).textContent;
    const lines = [];

    while (!document.getElementById('forward').disabled) {
        document.getElementById('forward').click();
        lines.push([text('at'), text('verdict'), text('end'),
            ...all('[id^="belief-"]:not(#belief-title)')
                .map((belief) => belief.textContent)].join('\t') + '\n');
    }
    return lines.join('');
}
