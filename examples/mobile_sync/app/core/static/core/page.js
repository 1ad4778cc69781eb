// Shows which colour answers, asked anew each second, and where the WebSocket is.
const main = document.querySelector("main");
const text = (id, value) => { document.getElementById(id).textContent = value; };

async function ask() {
  const answer = await (await fetch("/health", { cache: "no-store" })).json();
  main.dataset.colour = answer.colour;
  main.querySelector("h1").textContent = answer.colour;
  text("version", answer.version);
  text("release", answer.release);
}

function connect() {
  const socket = new WebSocket(`${location.origin.replace(/^http/, "ws")}/ws/sync?device=page`);
  socket.onmessage = (event) => {
    const message = JSON.parse(event.data);
    if (message.type === "hello") text("socket", `WebSocket: ${message.colour}, class ${message.class}`);
  };
  socket.onclose = (event) => {
    text("socket", `WebSocket: closed with ${event.code}, connecting again`);
    setTimeout(connect, 500 + Math.random() * 1000);
  };
}

connect();
setInterval(() => ask().catch(() => text("version", "no answer")), 1000);
