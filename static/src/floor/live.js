// Tells screens of the shop floor that something changed.

import { onWillUnmount } from "@odoo/owl";
import { browser } from "@web/core/browser/browser";
import { useBus, useService } from "@web/core/utils/hooks";

/** Milliseconds after which is asked anyway: where no websocket gets through, and for times that ran out. */
const ASK_AGAIN = 60000;
/** Several changes of one transaction are read once. */
const TOGETHER = 50;

/**
 * Call back when something changed on the shop floor: at once over the bus, when the bus is there again, and now and
 * then without it.
 *
 * @param {(payload: { bpr_id?: number }) => void} callback
 * @returns {(channels: string[]) => void} listens to the channels that the server named
 */
export function useFloorBus(callback) {
    const busService = useService("bus_service");
    const channels = new Set();
    let timeout;
    const changed = (payload) => {
        browser.clearTimeout(timeout);
        timeout = browser.setTimeout(() => callback(payload), TOGETHER);
    };
    busService.subscribe("mrp_mmr_floor", changed);
    useBus(busService, "BUS:RECONNECT", () => callback({}));
    const interval = browser.setInterval(() => callback({}), ASK_AGAIN);
    onWillUnmount(() => {
        browser.clearTimeout(timeout);
        browser.clearInterval(interval);
        busService.unsubscribe("mrp_mmr_floor", changed);
        channels.forEach((channel) => busService.deleteChannel(channel));
    });
    return (names) => {
        for (const name of names) {
            if (!channels.has(name)) {
                channels.add(name);
                busService.addChannel(name);
            }
        }
    };
}
