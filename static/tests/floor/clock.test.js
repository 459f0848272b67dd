/** Unit tests of the floor's clock. */
import { defineMailModels } from "@mail/../tests/mail_test_helpers";
import { advanceTime, beforeEach, describe, expect, mockDate, test } from "@odoo/hoot";
import { makeMockEnv, mountWithCleanup } from "@web/../tests/web_test_helpers";

import { formatDay, formatSeconds, formatTime, setServerTime, Timer } from "@mrp_mmr/floor/clock";

describe.current.tags("desktop");
defineMailModels();

beforeEach(async () => {
    await makeMockEnv();
    mockDate("2031-03-03 06:00:00", 0);
    setServerTime("2031-03-03T06:00:00Z");
});

test("seconds become hours, minutes and seconds, and days where they are many", () => {
    for (const [seconds, text] of [
        [0, "0:00:00"],
        [59.9, "0:00:59"],
        [60, "0:01:00"],
        [3600 + 62, "1:01:02"],
        [-61, "0:01:01"],
        [86399, "23:59:59"],
        [86400, "1 d 0 h"],
        [3 * 86400 + 5 * 3600 + 59 * 60, "3 d 5 h"],
    ]) {
        expect(String(formatSeconds(seconds))).toBe(text);
    }
});

test("a time of today has no day; today is that of the server", () => {
    expect(formatTime("2031-03-03T05:07:00Z")).toBe("05:07");
    expect(formatTime("2031-03-02T23:59:00Z")).toInclude("23:59");
    expect(formatTime("2031-03-02T23:59:00Z")).not.toBe("23:59");
    // The clock of the terminal is a day behind.
    setServerTime("2031-03-04T06:00:00Z");
    expect(formatTime("2031-03-04T05:07:00Z")).toBe("05:07");
    expect(formatTime("2031-03-03T05:07:00Z")).not.toBe("05:07");
});

test("no time and no day are shown as nothing", () => {
    for (const nothing of [false, null, undefined, ""]) {
        expect(formatTime(nothing)).toBe("");
        expect(formatDay(nothing)).toBe("");
    }
    expect(formatDay("2031-03-03")).toBe("03/03/2031");
});

/** Real time goes on while a test runs: some seconds more or less do not matter. */
const near = (start, seconds, end = "") =>
    new RegExp(`^${start}(${[0, 1, 2, 3, 4].map((more) => String(seconds + more).padStart(2, "0")).join("|")})${end}$`);

test("a timer counts up from its moment", async () => {
    await mountWithCleanup(Timer, { props: { since: "2031-03-03T05:59:30Z" } });
    expect(".o_mrp_mmr_floor_timer").toHaveText(near("0:00:", 30));
    await advanceTime(60000);
    expect(".o_mrp_mmr_floor_timer").toHaveText(near("0:01:", 30));
    expect(".o_mrp_mmr_floor_timer").not.toHaveClass("badge");
});

test("a timer counts down, warns a quarter of an hour before, and says by how much it is over", async () => {
    await mountWithCleanup(Timer, { props: { until: "2031-03-03T06:15:30Z" } });
    expect(".o_mrp_mmr_floor_timer").toHaveText(near("0:15:", 26, " left"));
    expect(".o_mrp_mmr_floor_timer").not.toHaveClass("text-bg-warning");
    await advanceTime(60000);
    expect(".o_mrp_mmr_floor_timer").toHaveText(near("0:14:", 26, " left"));
    expect(".o_mrp_mmr_floor_timer").toHaveClass("text-bg-warning");
    await advanceTime(15 * 60000);
    expect(".o_mrp_mmr_floor_timer").toHaveText(near("over by 0:00:", 30));
    expect(".o_mrp_mmr_floor_timer").toHaveClass("text-bg-danger");
});

test("the clock of the server counts, not that of the terminal", async () => {
    setServerTime("2031-03-03T06:10:00Z");
    await mountWithCleanup(Timer, { props: { since: "2031-03-03T06:00:00Z" } });
    expect(".o_mrp_mmr_floor_timer").toHaveText(near("0:10:", 0));
});
