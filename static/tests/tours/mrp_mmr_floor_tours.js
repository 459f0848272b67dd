// Tours of the shop floor: a batch, the keyboard, a lost connection, other terminals.

import { ConnectionLostError, rpc } from "@web/core/network/rpc";
import { addTour } from "./add_tour";

const PASSWORD = "A-long-password-1";
const MAIN = ".o_mrp_mmr_floor_main:enabled";

const main = (label) => ({ trigger: `${MAIN}:contains(${label})`, run: "click" });
const step = (code, state) => ({ trigger: `.o_mrp_mmr_floor_step[data-code="${code}"][data-state=${state}]` });
const start = (code) => [step(code, "open"), main("Start"), step(code, "started")];

/** Sign with user name and password, as whoever stands at the terminal. */
const sign = (login, comment) => [
    { trigger: ".o_mrp_mmr_sign input[name=login]:not([readonly])", run: `edit ${login}` },
    { trigger: ".o_mrp_mmr_sign input[name=password]", run: `edit ${PASSWORD}` },
    ...(comment ? [{ trigger: ".o_mrp_mmr_sign textarea[name=comment]", run: `edit ${comment}` }] : []),
    { trigger: ".o_mrp_mmr_sign_button:enabled", run: "click" },
    { trigger: "body:not(:has(.o_mrp_mmr_sign))" },
];
const perform = () => [main("Sign: performed"), ...sign("t_operator")];

const weigh = (code, lot, value) => [
    ...start(code),
    { trigger: `.o_mrp_mmr_floor_lots button:contains(${lot})`, run: "click" },
    { trigger: "#floor_value", run: `edit ${value}` },
    main(`Record ${value} kg, ${lot}`),
    { trigger: ".o_mrp_mmr_floor_weighed .fa-check-circle" },
    ...perform(),
    main("Sign: verified"),
    // The performer is refused; another person signs here.
    ...(code === "1.1"
        ? [
              { trigger: ".o_mrp_mmr_sign_note:contains(own user name and password)" },
              { trigger: ".o_mrp_mmr_sign input[name=login]:not([readonly])", run: "edit t_operator" },
              { trigger: ".o_mrp_mmr_sign input[name=password]", run: `edit ${PASSWORD}` },
              { trigger: ".o_mrp_mmr_sign_button:enabled", run: "click" },
              { trigger: ".o_mrp_mmr_sign .o_mrp_mmr_refused" },
          ]
        : []),
    ...sign("t_verifier"),
    main("Sign: added"),
    ...sign("t_operator"),
    main("Sign: addition verified"),
    ...sign("t_verifier"),
];

addTour("mrp_mmr_floor_batch", {
    steps: () => [
        { trigger: ".o_mrp_mmr_running_row:contains(Operator starts):contains(of 9 steps) .o_mrp_mmr_running_open", run: "click" },
        { trigger: ".o_mrp_mmr_floor_back", run: "click" },
        // The terminal stands at a work centre and has the name under which it was registered.
        { trigger: ".o_mrp_mmr_floor_workcenter", run: "click" },
        { trigger: ".modal button:contains(Blending room)", run: "click" },
        { trigger: ".modal .o_mrp_mmr_floor_terminal:contains(Registered as Tablet 3)" },
        { trigger: ".modal .btn-primary", run: "click" },
        { trigger: "body:not(:has(.modal)) .o_mrp_mmr_floor_card:contains(Here now)", run: "click" },
        ...weigh("1.1", "L-ASC", "90.02"),
        // Equipment by its code.
        ...start("2.1"),
        { trigger: ".o_mrp_mmr_floor_scan input", run: "edit BL-1 && press Enter" },
        { trigger: ".o_mrp_mmr_floor_entry:contains(Blender 1)" },
        ...perform(),
        ...weigh("2.2", "L-MCC", "10"),
        // Line clearance: pass or fail.
        ...start("2.3"),
        { trigger: ".o_mrp_mmr_floor_pass", run: "click" },
        main("Record conforms"),
        ...perform(),
        ...start("2.4"),
        ...perform(),
        // Out of limits: the deviation shows with its plan and blocks; Quality Control lets it be tested again and decides.
        ...start("2.5"),
        { trigger: "#floor_value", run: "edit 17.5" },
        main("Record"),
        { trigger: ".o_mrp_mmr_floor_deviation:contains(work stops):contains(Stop and inform Quality Control)" },
        { trigger: ".o_mrp_mmr_floor_main:disabled:contains(Sign)" },
        { trigger: ".o_mrp_mmr_floor_list button[data-code='2.5'] .fa-exclamation-triangle" },
        { trigger: ".o_mrp_mmr_floor_retest button", run: "click" },
        ...sign("t_qc", "The clock was read wrongly."),
        { trigger: "#floor_value", run: "edit 15" },
        main("Record 15 min"),
        { trigger: ".o_mrp_mmr_floor_entry:not(.o_mrp_mmr_floor_waiting):contains(15 min)" },
        { trigger: ".o_mrp_mmr_floor_main:disabled:contains(Sign)" },
        { trigger: ".o_mrp_mmr_floor_decide", run: "click" },
        ...sign("t_qc", "The retest conforms."),
        { trigger: ".o_mrp_mmr_floor_step:not(:has(.o_mrp_mmr_floor_deviation))" },
        // A note for the next shift.
        { trigger: ".o_mrp_mmr_floor_hand", run: "click" },
        { trigger: ".modal textarea", run: "edit Timer 3 is slow." },
        { trigger: ".modal .btn-primary:enabled", run: "click" },
        { trigger: ".o_mrp_mmr_floor_handover:contains(Timer 3 is slow)" },
        ...perform(),
        // A checklist, each row for itself.
        step("2.6", "open"),
        { trigger: ".o_mrp_mmr_floor_step:not(:has(.o_mrp_mmr_floor_handover))" },
        ...start("2.6"),
        { trigger: ".o_mrp_mmr_floor_check[data-position='1'] .o_mrp_mmr_floor_yes", run: "click" },
        { trigger: ".o_mrp_mmr_floor_check[data-position='1']:contains(Yes):not(:has(button))" },
        { trigger: ".o_mrp_mmr_floor_check[data-position='2'] .o_mrp_mmr_floor_yes", run: "click" },
        ...perform(),
        // A check, corrected before it is signed.
        ...start("2.7"),
        { trigger: ".o_mrp_mmr_floor_pass", run: "click" },
        main("Record conforms"),
        { trigger: "button.o_mrp_mmr_floor_entry", run: "click" },
        { trigger: ".modal [data-action=correct]", run: "click" },
        { trigger: ".modal .o_mrp_mmr_floor_pass", run: "click" },
        { trigger: ".modal .o_mrp_mmr_floor_record:disabled" },
        { trigger: ".modal textarea[name=reason]", run: "edit Seen again in daylight" },
        { trigger: ".modal .o_mrp_mmr_floor_record:enabled", run: "click" },
        { trigger: "body:not(:has(.modal)) .o_mrp_mmr_floor_entry:has(s):contains(Seen again in daylight)" },
        ...perform(),
        // The yield of the batch.
        ...start("2.8"),
        { trigger: "#floor_value", run: "edit 96" },
        main("Record 96 kg"),
        ...perform(),
        main("Sign: verified"),
        ...sign("t_verifier"),
        { trigger: ".o_mrp_mmr_floor_main:contains(order)" },
    ],
});

/** Keys as a scanner sends them: to whatever has the focus, quickly, with Enter at the end. */
function scan(code) {
    for (const key of [...code, "Enter"]) {
        document.activeElement.dispatchEvent(new KeyboardEvent("keydown", { key, bubbles: true, cancelable: true }));
    }
}

addTour("mrp_mmr_floor_keyboard", {
    steps: () => [
        step("1.1", "open"),
        // The main button has the focus.
        { trigger: `${MAIN}:contains(Start):focus`, run: "press Enter" },
        step("1.1", "started"),
        {
            trigger: ".o_mrp_mmr_floor_task #floor_lot",
            run() {
                document.activeElement.blur();
                scan("L-MCC");
            },
        },
        // A lot of another component is refused and says why.
        { trigger: ".o_mrp_mmr_floor_message:contains(not Ascorbic acid)" },
        {
            trigger: ".o_mrp_mmr_floor_task #floor_lot",
            run() {
                document.activeElement.blur();
                scan("L-ASC");
            },
        },
        { trigger: ".o_mrp_mmr_floor_lots .o_mrp_mmr_floor_chosen:contains(L-ASC)" },
        // The number has the focus now; it is typed with a comma, and Enter records it.
        { trigger: "#floor_value:focus", run: "edit 90.02 && press Enter" },
        { trigger: ".o_mrp_mmr_floor_entry:not(.o_mrp_mmr_floor_waiting):contains(90.02 kg)" },
        { trigger: `${MAIN}:contains(Sign: performed):focus`, run: "press Enter" },
        { trigger: ".o_mrp_mmr_sign input[name=login]:focus", run: "edit t_operator && press Tab" },
        { trigger: ".o_mrp_mmr_sign input[name=password]:focus", run: `edit ${PASSWORD} && press Enter` },
        step("1.1", "checking"),
        { trigger: `${MAIN}:contains(Sign: verified):focus` },
    ],
});

const original = rpc._rpc;
let calls = 0;

/** Lose the connection: before a call gets to the server, or after, with its answer. */
function lose(when) {
    rpc._rpc = async (url, params, settings) => {
        if (!url.includes("/action_record")) {
            return original(url, params, settings);
        }
        calls++;
        if (when === "after") {
            await original(url, params, settings);
        }
        throw new ConnectionLostError(url);
    };
}

const outbox = () => Object.keys(localStorage).filter((key) => key.startsWith("mrp_mmr.floor.outbox."));

function assert(condition, message) {
    if (!condition) {
        throw new Error(message);
    }
}

addTour("mrp_mmr_floor_connection", {
    steps: () => [
        step("2.5", "started"),
        { trigger: "#floor_value", run: () => lose("before") },
        { trigger: "#floor_value", run: "edit 15" },
        main("Record 15 min"),
        { trigger: ".o_mrp_mmr_floor_unsaved:contains(Not saved yet):contains(15 min)" },
        { trigger: ".o_mrp_mmr_floor_connection:contains(No connection)" },
        // Nobody signs what is not saved.
        { trigger: ".o_mrp_mmr_floor_main:disabled:contains(Sign)" },
        {
            trigger: ".o_mrp_mmr_floor_waiting",
            expectUnloadPage: true,
            run() {
                assert(outbox().length === 1, "the entry is kept in the browser");
                window.location.reload();
            },
        },
        // The page is a new one, with nothing patched; what waited is sent by itself.
        { trigger: ".o_mrp_mmr_floor_entry:not(.o_mrp_mmr_floor_waiting):contains(15 min)" },
        { trigger: ".o_mrp_mmr_floor:not(:has(.o_mrp_mmr_floor_unsaved)) .o_mrp_mmr_floor_connection:contains(Connected)", run: () => assert(!outbox().length, "nothing waits") },
        // The entry was stored and only the answer got lost: sent again, it stays one.
        { trigger: ".o_mrp_mmr_floor_tasks [data-task=value]", run: "click" },
        { trigger: "#floor_value", run: () => lose("after") },
        { trigger: "#floor_value", run: "edit 15.5" },
        main("Record 15.5 min"),
        { trigger: ".o_mrp_mmr_floor_unsaved:contains(Not saved yet):contains(15.5 min)", run: () => { rpc._rpc = original; } },
        { trigger: ".o_mrp_mmr_floor_unsaved button:contains(Retry now)", run: "click" },
        { trigger: ".o_mrp_mmr_floor_entry:contains(15.5 min)" },
        { trigger: ".o_mrp_mmr_floor:not(:has(.o_mrp_mmr_floor_unsaved))", run: () => assert(calls === 1 && !outbox().length, "nothing waits") },
    ],
});

let notify;

/** Stand in for the websocket, which does not run in tests: keep what listens to the floor. */
function captureBus() {
    const bus = odoo.__WOWL_DEBUG__.root.env.services.bus_service;
    const subscribe = bus.subscribe;
    bus.subscribe = (type, callback) => {
        if (type === "mrp_mmr_floor") {
            notify = callback;
        }
        return subscribe(type, callback);
    };
}

/** What another terminal does. */
function elsewhere(method, args) {
    const stepId = Number(document.querySelector(".o_mrp_mmr_floor_step").dataset.id);
    return rpc(`/web/dataset/call_kw/mrp.bpr.step/${method}`, { model: "mrp.bpr.step", method, args: [[stepId], ...args], kwargs: {} });
}

addTour("mrp_mmr_floor_live", {
    steps: () => [
        { trigger: ".o_mrp_mmr_running_row:contains(of 9 steps)", run: captureBus },
        { trigger: ".o_mrp_mmr_running_row:contains(of 9 steps) .o_mrp_mmr_running_open", run: "click" },
        { ...step("2.5", "started"), run: () => elsewhere("action_report", ["Noise in the gear", "Louder than usual.", "major"]) },
        { trigger: "#floor_value", run: () => notify({}) },
        { trigger: ".o_mrp_mmr_floor_deviation:contains(Noise in the gear):contains(work stops)" },
        // What is typed here stays when something is read again, and the answer about it is shown.
        { trigger: "#floor_value", run: "edit 15" },
        {
            trigger: `${MAIN}:contains(Record 15 min)`,
            async run() {
                await elsewhere("action_record", ["value", { value: "19" }]);
                notify({});
            },
        },
        { trigger: ".o_mrp_mmr_floor_list button[data-code='2.5']:contains(19 min)" },
        { trigger: ".o_mrp_mmr_floor_retest:contains(Out of limits)" },
        // Back in the list of the supervisor.
        { trigger: ".o_mrp_mmr_floor_back", run: "click" },
        { trigger: ".o_mrp_mmr_floor_card:contains(2 open)" },
    ],
});

addTour("mrp_mmr_floor_auditor", {
    steps: () => [
        step("2.5", "started"),
        // All that is offered is that somebody else takes over.
        main("Change the person"),
        { trigger: ".modal .o_mrp_mmr_floor_person:contains(Done by: Operator)" },
        { trigger: ".modal button:contains(Cancel)", run: "click" },
        { trigger: "body:not(:has(.modal)) .o_mrp_mmr_floor_hand:disabled" },
        { trigger: ".o_mrp_mmr_floor_list button[data-code='1.1']", run: "click" },
        { trigger: ".o_mrp_mmr_floor_step[data-code='1.1'] .o_mrp_mmr_floor_entry:contains(L-ASC)", run: "click" },
        { trigger: ".modal:contains(L-ASC):not(:has([data-action]))" },
        { trigger: ".modal button:contains(Close)", run: "click" },
        { trigger: ".o_mrp_mmr_floor_point:contains(Test t_verifier):contains(Verified)" },
    ],
});
