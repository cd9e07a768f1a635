// What a projection's query may say, and what becomes of it when events arrive.
//
// The query is run once; its words (fromAll, when, …) only note what it wants. After that it has the
// words that write (emit, linkTo, …), which note what is to be written. Everything that passes to or
// from this file is JSON text. Words and their order are EventStoreDB's own.

(() => {
  "use strict";

  const query = {
    all: false, streams: [], categories: [], events: [], allEvents: true,
    byStream: false, byPartition: false, outputState: false, transforms: false, deletions: false,
    options: {},
  };
  const handlers = new Map();
  const created = [];
  const transforms = [];
  let init, initShared, any, deleted, partitionOf;

  // The words of a query

  const isFunction = (it) => typeof it === "function";
  const text = (it, name) => {
    if (typeof it !== "string") throw new TypeError(`string expected (Parameter '${name}')`);
    return it;
  };
  const callable = (it, name) => {
    if (!isFunction(it)) throw new TypeError(`function expected (Parameter '${name}')`);
    return it;
  };

  const mayFollow = {
    fromStream: ["when", "partitionBy", "outputState"],
    fromStreams: ["when", "partitionBy", "outputState"],
    fromAll: ["when", "partitionBy", "outputState", "foreachStream"],
    fromCategory: ["when", "partitionBy", "outputState", "foreachStream"],
    foreachStream: ["when"],
    partitionBy: ["when"],
    when: ["transformBy", "filterBy", "outputState", "outputTo", "$defines_state_transform"],
    outputState: ["transformBy", "filterBy", "outputTo"],
    transformBy: ["transformBy", "filterBy", "outputState", "outputTo"],
    filterBy: ["transformBy", "filterBy", "outputState", "outputTo"],
    outputTo: [],
  };
  const chain = {};
  const follow = (word) => {
    for (const name of Object.keys(chain)) delete chain[name];
    for (const name of mayFollow[word]) chain[name] = clauses[name];
    return chain;
  };

  const addHandler = (name, handler) => {
    switch (name) {
      case "$init": init = handler; break;
      case "$initShared": initShared = handler; query.options.biState = true; break;
      case "$created": created.push(handler); break;
      case "$any": any = handler; query.allEvents = true; break;
      case "$deleted":
        if (query.options.biState) throw new Error("Cannot handle deletes in bi-state projections");
        deleted = handler;
        query.deletions = true;
        break;
      default:
        handlers.set(name, handler);
        query.events.push(name);
        query.allEvents = false;
    }
  };
  const transform = (word, needed) => (change) => {
    transforms.push([word, callable(change, needed)]);
    query.transforms = query.outputState = true;
    return follow(word);
  };
  const clauses = {
    when(given) {
      for (const [name, handler] of Object.entries(given ?? {}))
        if (isFunction(handler)) addHandler(name, handler);
      return follow("when");
    },
    partitionBy(choose) {
      partitionOf = callable(choose, "partitionBy");
      query.byPartition = true;
      return follow("partitionBy");
    },
    foreachStream() { query.byStream = true; return follow("foreachStream"); },
    outputState() { query.outputState = true; return follow("outputState"); },
    transformBy: transform("transformBy", "transformBy"),
    filterBy: transform("filterBy", "filterBy"),
    outputTo(result, partitionResult) {
      query.options.resultStreamName = text(result, "resultStream");
      if (partitionResult !== undefined)
        query.options.partitionResultStreamNamePattern =
          text(partitionResult, "partitionResultStreamPattern");
      return follow("outputTo");
    },
    $defines_state_transform() { query.transforms = query.outputState = true; },
  };

  const optionTypes = {
    $includelinks: ["$includeLinks", "boolean"],
    reorderevents: ["reorderEvents", "boolean"],
    processinglag: ["processingLag", "number"],
    resultstreamname: ["resultStreamName", "string"],
    bistate: ["biState", "boolean"],
  };
  const sources = {
    options(given) {
      for (const [name, value] of Object.entries(given ?? {})) {
        const [option, type] = optionTypes[name.toLowerCase()] ?? [];
        if (!option) throw new Error(`Unrecognized option: ${name}`);
        if (typeof value !== type) throw new Error("Invalid value");
        query.options[option] = value;
      }
    },
    fromAll() { query.all = true; return follow("fromAll"); },
    fromStream(stream) {
      query.streams.push(text(stream, "stream"));
      return follow("fromStream");
    },
    fromStreams(...streams) {
      for (const stream of Array.isArray(streams[0]) ? streams[0] : streams)
        query.streams.push(text(stream, "streams"));
      return follow("fromStreams");
    },
    fromCategory(...categories) {
      if (categories.length === 1 && !Array.isArray(categories[0]))
        query.categories.push(text(categories[0], "category"));
      else
        for (const category of categories.flat())
          query.streams.push(`$ce-${text(category, "categories")}`);
      return follow("fromCategory");
    },
    on_event(name, handler) { addHandler(text(name, "eventName"), callable(handler, "eventHandler")); },
    on_any(handler) { addHandler("$any", callable(handler, "eventHandler")); },
  };
  sources.fromCategories = sources.fromCategory;

  // The words that write

  let emitted = [];
  let logged = [];
  const filled = (it, name) => {
    if (it === null || it === undefined || (typeof it === "string" && it.trim() === ""))
      throw new Error(`Value cannot be null. (Parameter '${name}')`);
    return text(it, name);
  };
  const object = (it, name) => {
    if (it === null || it === undefined) throw new Error(`Value cannot be null. (Parameter '${name}')`);
    if (typeof it !== "object" && !isFunction(it)) throw new Error(`object expected (Parameter '${name}')`);
    return it;
  };
  const note = (stream, type, isJson, data, metadata) => {
    emitted.push({ stream, type, isJson, data, metadata: { ...metadata } });
  };
  const writing = {
    emit(stream, type, body, metadata) {
      if (arguments.length < 3) throw new Error("invalid number of parameters");
      filled(stream, "streamId");
      filled(type, "eventName");
      const data = JSON.stringify(object(body, "eventBody"));
      note(stream, type, true, data, metadata === undefined ? {} : object(metadata, "metadata"));
    },
    linkTo(stream, event, metadata) {
      filled(stream, "streamId");
      const { sequenceNumber, streamId } = object(event, "event");
      if (typeof sequenceNumber !== "number" || typeof streamId !== "string")
        throw new Error(`Invalid link to event ${sequenceNumber}@${streamId}`);
      note(stream, "$>", false, `${sequenceNumber}@${streamId}`, metadata);
    },
    linkStreamTo(stream, linked, metadata) {
      note(filled(stream, "streamId"), "$@", false, filled(linked, "linkedStreamId"), metadata);
    },
    copyTo() {}, // the server's does nothing either
  };

  // Events

  let partition; // whose state this is
  let state;
  let shared;
  let stateText = null; // as it was last told

  const told = (it) => {
    if (it === null || it === undefined) return "";
    return typeof it === "string" ? it : JSON.stringify(it);
  };
  const result = () => {
    let value = state;
    for (const [word, change] of transforms) {
      const changed = change(value);
      if (word === "transformBy") value = changed;
      else if (changed !== true) return null;
      if (value === null || value === undefined) return null;
    }
    return JSON.stringify(value);
  };
  // What is parsed is not among an event's own keys, and is parsed when it is first asked for.
  const parsed = new WeakMap();
  const parsing = (raw, isThere, otherwise) => function () {
    const known = parsed.get(this) ?? parsed.set(this, {}).get(this);
    return raw in known ? known[raw] : (known[raw] = isThere(this) ? JSON.parse(this[raw]) : otherwise);
  };
  const body = parsing("bodyRaw", (it) => it.isJson && it.bodyRaw !== null, undefined);
  const event = Object.create(Object.prototype, {
    body: { get: body },
    data: { get: body },
    metadata: { get: parsing("metadataRaw", (it) => it.metadataRaw !== null, null) },
    linkMetadata: { get: parsing("linkMetadataRaw", (it) => it.linkMetadataRaw !== null, null) },
  });
  const envelope = (given) => Object.setPrototypeOf(given, event);
  const handle = (event) => {
    const handler = handlers.get(event.eventType) ?? any;
    const subject = query.options.biState ? [state, shared] : state;
    const next = handler ? handler(subject, event) : event.bodyRaw;
    const after = next === undefined ? subject : next;
    if (query.options.biState && Array.isArray(after)) [state, shared] = after;
    else state = after;
  };
  const outcome = () => {
    const answer = { emitted, logged };
    const now = told(state);
    if (now !== stateText) {
      answer.state = stateText = now;
      answer.result = query.transforms ? result() : now || null;
    }
    if (query.options.biState) answer.shared = told(shared);
    return answer;
  };

  const turns = {
    define() {
      for (const word of Object.keys(sources)) delete globalThis[word];
      Object.assign(globalThis, writing);
      return query;
    },
    partition(event) {
      const chosen = partitionOf(envelope(event));
      return typeof chosen === "string" || typeof chosen === "number" ? String(chosen) : null;
    },
    load(wanted) {
      partition = wanted.partition;
      stateText = wanted.state ?? "";
      state = stateText ? JSON.parse(stateText) : init ? init() : {};
      if (query.options.biState)
        shared = wanted.shared ? JSON.parse(wanted.shared) : initShared ? initShared() : {};
      return !stateText;
    },
    event({ event, isNew }) {
      event.partition = partition;
      const given = envelope(event);
      if (isNew) for (const handler of created) handler(state, given);
      handle(given);
      return outcome();
    },
    deletion() {
      deleted(state, null, partition, false);
      return outcome();
    },
  };

  Object.assign(globalThis, sources);
  globalThis.log = (...given) =>
    logged.push(given.map((it) => (typeof it === "object" ? JSON.stringify(it) : String(it))).join(" ,"));
  return (turn, given) => {
    emitted = [];
    logged = [];
    try {
      return JSON.stringify({ answer: turns[turn](given === undefined ? undefined : JSON.parse(given)) });
    } catch (error) {
      if (error === null) error = "out of memory"; // too little is left to say so in an Error
      return JSON.stringify({ error: error instanceof Error ? error.message : String(error) });
    }
  };
})();
