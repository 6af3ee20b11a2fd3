/* SPDX-License-Identifier: MIT */
/* Copyright (c) 2026 the Steelyard authors */
/*
 * What a page can do beyond being read: remember light or dark, fold the menu
 * on a narrow window, and search. All pages can be read without it.
 */
"use strict";

/* --- light and dark ------------------------------------------------------- */

function themeNow() {
    const chosen = localStorage.getItem("theme");
    if (chosen)
        return chosen;
    return matchMedia("(prefers-color-scheme: dark)").matches ? "dark" : "light";
}

function themeShow() {
    const theme = themeNow();
    document.documentElement.classList.toggle("dark-mode", theme === "dark");
    document.documentElement.classList.toggle("light-mode", theme === "light");
    const button = document.getElementById("theme");
    if (button)
        button.textContent = theme === "dark" ? "Light" : "Dark";
}

themeShow(); /* before anything is painted */
matchMedia("(prefers-color-scheme: dark)").addEventListener("change", themeShow);

/* --- the menu ------------------------------------------------------------- */

function menuFold() {
    const narrow = matchMedia("(max-width: 52rem)");
    const fold = () => {
        document.getElementById("menu").open = !narrow.matches;
    };
    fold();
    narrow.addEventListener("change", fold);
}

/* --- search --------------------------------------------------------------- */

/* SEARCH, from search-index.js: rows of [title, place, kind, text]. It is
 * loaded when somebody first wants to search. */
function searchLoad(then) {
    if (window.SEARCH)
        return then();
    const script = document.createElement("script");
    script.src = TOP + "search-index.js";
    script.onload = then;
    document.head.append(script);
}

/* How well a row fits; 0: not at all. A whole name beats a part of one, a title
 * beats the text; all words have to be there. */
function searchScore(row, words) {
    const title = row[0].toLowerCase();
    let score = 0;
    for (const word of words) {
        const at = title.indexOf(word);
        if (title === word)
            score += 100;
        else if (at >= 0)
            score += at === 0 ? 40 : 20;
        else if (row[3].toLowerCase().includes(word))
            score += 1;
        else
            return 0;
    }
    return score;
}

function searchFind(query) {
    const words = query.toLowerCase().replace(/\(\)/g, "").split(/\s+/)
        .filter((word) => word);
    if (words.length === 0)
        return [];
    return SEARCH.map((row, place) => ({ row, place,
                                         score: searchScore(row, words) }))
        .filter((found) => found.score > 0)
        .sort((a, b) => b.score - a.score || a.place - b.place)
        .slice(0, 30).map((found) => found.row);
}

/* The words around the first that was found. */
function searchExcerpt(text, query) {
    const at = text.toLowerCase().indexOf(query.toLowerCase().split(/\s+/)[0]);
    const from = Math.max(0, at - 40);
    return (from > 0 ? "… " : "") + text.slice(from, from + 120);
}

function searchBegin() {
    const field = document.getElementById("search");
    const list = document.getElementById("search-results");
    const said = document.getElementById("search-said");
    let chosen = -1;

    const choose = (place) => {
        const rows = list.children;
        if (rows.length === 0)
            return;
        chosen = (place + rows.length) % rows.length;
        for (let i = 0; i < rows.length; i++)
            rows[i].setAttribute("aria-selected", String(i === chosen));
        field.setAttribute("aria-activedescendant", rows[chosen].id);
        rows[chosen].scrollIntoView({ block: "nearest" });
    };
    const show = (isShown) => {
        list.hidden = !isShown;
        field.setAttribute("aria-expanded", String(isShown));
    };
    const find = () => searchLoad(() => {
        const query = field.value.trim();
        const found = searchFind(query);
        list.replaceChildren(...found.map(([title, place, kind, text], i) => {
            const item = document.createElement("li");
            const link = document.createElement("a");
            const where = document.createElement("span");
            item.id = "found-" + i;
            item.setAttribute("role", "option");
            link.href = TOP + place;
            link.tabIndex = -1;
            link.textContent = title;
            where.textContent = text ? kind + ": " + searchExcerpt(text, query)
                                     : kind;
            link.append(where);
            item.append(link);
            return item;
        }));
        chosen = -1;
        field.removeAttribute("aria-activedescendant");
        said.textContent = query === "" ? "" : found.length + " found";
        show(found.length > 0);
    });

    document.querySelector("header .search").hidden = false;
    field.addEventListener("focus", () => searchLoad(() => {}));
    field.addEventListener("input", find);
    field.addEventListener("keydown", (event) => {
        if (event.key === "ArrowDown")
            choose(chosen + 1);
        else if (event.key === "ArrowUp")
            choose(chosen - 1);
        else if (event.key === "Escape")
            show(false);
        else if (event.key === "Enter" && list.children.length > 0)
            list.children[Math.max(chosen, 0)].firstChild.click();
        else
            return;
        event.preventDefault();
    });
    document.addEventListener("click", (event) => {
        if (!event.target.closest(".search"))
            show(false);
    });
    document.addEventListener("keydown", (event) => {
        if (event.key === "/" && !event.target.matches("input, textarea")) {
            field.focus();
            event.preventDefault();
        }
    });
}

document.addEventListener("DOMContentLoaded", () => {
    const button = document.getElementById("theme");
    button.hidden = false;
    button.addEventListener("click", () => {
        localStorage.setItem("theme", themeNow() === "dark" ? "light" : "dark");
        themeShow();
    });
    themeShow();
    searchBegin();
    const here = document.querySelector('#menu [aria-current="page"]');
    if (here && innerWidth > 832)
        here.scrollIntoView({ block: "center" });
    scrollTo(0, location.hash ? scrollY : 0);
});
