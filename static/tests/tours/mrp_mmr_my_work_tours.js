// Tours of My Work and the wall.

import { ConnectionLostError, rpc } from "@web/core/network/rpc";
import { addTour } from "./add_tour";

const original = rpc._rpc;

/** What the bus says when it is there again: the screens read. */
function reconnect() {
    odoo.__WOWL_DEBUG__.root.env.services.bus_service.trigger("BUS:RECONNECT");
}

/** Wait for an element as long as a patient person does. */
async function find(selector) {
    for (let tenths = 0; tenths < 300; tenths++) {
        const element = document.querySelector(selector);
        if (element) {
            return element;
        }
        await new Promise((resolve) => setTimeout(resolve, 100));
    }
    throw new Error(`${selector} did not appear on ${document.body.innerText.slice(0, 500)}`);
}

/** Open the list behind each number of the page, count its rows, and come back. */
async function openEachCount() {
    await find(".o_mrp_mmr_my_work_page");
    const names = [...document.querySelectorAll(".o_mrp_mmr_my_work_group")].map((group) => group.dataset.group);
    if (!names.length) {
        throw new Error("Nothing is on the page.");
    }
    for (const name of names) {
        const button = await find(`[data-group="${name}"] .o_mrp_mmr_my_work_count`);
        const count = Number(button.querySelector("[data-count]").dataset.count);
        button.click();
        await find(".o_list_view .o_data_row");
        const rows = document.querySelectorAll(".o_list_view .o_data_row").length;
        if (rows !== count) {
            throw new Error(`${name} says ${count}, and its list has ${rows} rows.`);
        }
        (await find(".o_back_button a, .breadcrumb-item a")).click();
        await find(".o_mrp_mmr_my_work_page");
    }
}

/** Numbers lead to lists of as many records. */
addTour("mrp_mmr_my_work_counts", {
    steps: () => [{ trigger: ".o_mrp_mmr_my_work_page", run: openEachCount, timeout: 60000 }, { trigger: ".o_mrp_mmr_my_work_page" }],
});

/** Quality Control opens a batch where it is reviewed, signs, and finds the next signature on the page. */
addTour("mrp_mmr_my_work_review", {
    steps: () => [
        { trigger: "[data-group=batch_review] .o_mrp_mmr_my_work_line", run: "click" },
        { trigger: ".o_mrp_mmr_review button[data-sign=review]", run: "click" },
        { trigger: ".o_mrp_mmr_sign input[name=login]", run: "edit t_qc" },
        { trigger: ".o_mrp_mmr_sign input[name=password]", run: "edit A-long-password-1" },
        { trigger: ".o_mrp_mmr_sign_button:enabled", run: "click" },
        { trigger: ".o_mrp_mmr_review [data-release-state=approved]" },
        { trigger: ".o_back_button a, .breadcrumb-item a", run: "click" },
        { trigger: "[data-group=batch_release] .o_mrp_mmr_my_work_line" },
        { trigger: ".o_mrp_mmr_my_work_page:not(:has([data-group=batch_review]))" },
    ],
});

/** An operator goes from the page to the step on the floor. */
addTour("mrp_mmr_my_work_floor", {
    steps: () => [
        { trigger: "[data-group=step_begin] .o_mrp_mmr_my_work_line", run: "click" },
        { trigger: ".o_mrp_mmr_floor_current" },
    ],
});

/** The wall says what runs and what waits, and when it could not ask. */
addTour("mrp_mmr_wall", {
    steps: () => [
        { trigger: ".o_mrp_mmr_wall_batches .o_mrp_mmr_wall_row" },
        { trigger: ".o_mrp_mmr_wall aside .o_mrp_mmr_wall_row:contains(to be reviewed · in quarantine)" },
        { trigger: ".o_mrp_mmr_wall:not(:has(.o_mrp_mmr_wall_lost))" },
        {
            trigger: ".o_mrp_mmr_wall",
            run: () => {
                rpc._rpc = (url, ...rest) =>
                    url.includes("get_wall") ? Promise.reject(new ConnectionLostError(url)) : original(url, ...rest);
                reconnect();
            },
        },
        { trigger: ".o_mrp_mmr_wall_lost:contains(Not refreshed since)" },
        {
            trigger: ".o_mrp_mmr_wall",
            run: () => {
                rpc._rpc = original;
                reconnect();
            },
        },
        { trigger: ".o_mrp_mmr_wall:not(:has(.o_mrp_mmr_wall_lost))" },
    ],
});
