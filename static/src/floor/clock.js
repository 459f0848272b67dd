// The clock of the server on this terminal, and what runs out by it.

import { Component, onMounted, onWillUnmount, useState } from "@odoo/owl";
import { browser } from "@web/core/browser/browser";
import { formatDateTime } from "@web/core/l10n/dates";
import { localization } from "@web/core/l10n/localization";
import { _t } from "@web/core/l10n/translation";

const { DateTime } = luxon;

/** Milliseconds by which the clock of this terminal is behind that of the server, which alone counts. */
let offset = 0;

export function setServerTime(text) {
    offset = DateTime.fromISO(text).toMillis() - DateTime.now().toMillis();
}

/** A time of the server for people: without the day where it is today. */
export function formatTime(text) {
    if (!text) {
        return "";
    }
    const time = DateTime.fromISO(text);
    if (time.hasSame(DateTime.now().plus(offset), "day")) {
        return time.toFormat("HH:mm");
    }
    return formatDateTime(time, { showSeconds: false });
}

export function formatDay(text) {
    return text ? DateTime.fromISO(text).toFormat(localization.dateFormat) : "";
}

/** Seconds as hours, minutes and seconds; as days where they are many. */
export function formatSeconds(seconds) {
    const total = Math.floor(Math.abs(seconds));
    const days = Math.floor(total / 86400);
    const hours = Math.floor((total % 86400) / 3600);
    const minutes = Math.floor((total % 3600) / 60);
    if (days) {
        return _t("%(days)s d %(hours)s h", { days, hours });
    }
    const pad = (number) => String(number).padStart(2, "0");
    return `${hours}:${pad(minutes)}:${pad(total % 60)}`;
}

/** Time that passed since a moment, or that is left until one; it moves by itself. */
export class Timer extends Component {
    static template = "mrp_mmr.FloorTimer";
    static props = {
        since: { type: [String, { value: null }, Boolean], optional: true },
        until: { type: String, optional: true },
        class: { type: String, optional: true },
    };

    setup() {
        this.state = useState({ now: DateTime.now().toMillis() });
        let interval;
        onMounted(() => {
            interval = browser.setInterval(() => (this.state.now = DateTime.now().toMillis()), 1000);
        });
        onWillUnmount(() => browser.clearInterval(interval));
    }

    get seconds() {
        const moment = DateTime.fromISO(this.props.until || this.props.since).toMillis();
        const passed = (this.state.now + offset - moment) / 1000;
        return this.props.until ? -passed : passed;
    }

    get isOver() {
        return Boolean(this.props.until) && this.seconds < 0;
    }

    get isNear() {
        return Boolean(this.props.until) && this.seconds >= 0 && this.seconds < 900;
    }

    get text() {
        const duration = formatSeconds(this.seconds);
        if (!this.props.until) {
            return duration;
        }
        return this.isOver ? _t("over by %s", duration) : _t("%s left", duration);
    }
}
