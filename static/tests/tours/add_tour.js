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
