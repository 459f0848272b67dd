// How tours of this addon are added: with patience, and with the helpers that they share.

import { registry } from "@web/core/registry";

/** Milliseconds that a step waits for its element: the browser shares the machine with other tests. */
const PATIENCE = 40000;

/**
 * Add a tour whose steps wait longer than Odoo's 10 seconds.
 *
 * @param {string} name
 * @param {Object} tour as for the registry of tours
 */
export function addTour(name, tour) {
    const steps = () => tour.steps().map((step) => ({ timeout: PATIENCE, ...step }));
    registry.category("web_tour.tours").add(name, { ...tour, steps });
}

/**
 * Return the steps that choose a record in a field by a part of its name.
 *
 * What is typed is typed again where nothing is offered after some seconds: a form that reads its values meanwhile closes the
 * list.
 *
 * @param {string} field
 * @param {string} text
 * @param {string} [label] of what is chosen
 */
export function pick(field, text, label = text) {
    const isOffered = () =>
        [...document.querySelectorAll(".ui-autocomplete a")].some((option) => option.textContent.includes(label));
    return [
        {
            trigger: `.o_field_widget[name=${field}] input`,
            run: async (helpers) => {
                for (let attempt = 0; attempt < 6 && !isOffered(); attempt++) {
                    await helpers.edit(text);
                    for (let tenths = 0; tenths < 50 && !isOffered(); tenths++) {
                        await new Promise((resolve) => setTimeout(resolve, 100));
                    }
                }
            },
        },
        { trigger: `.ui-autocomplete a:contains(${label})`, run: "click" },
    ];
}
