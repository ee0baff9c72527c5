// spy.mjs DOOR|away - stands in for a door that a web server starts itself: listens on file descriptor 0
// and answers with the parameters that came, or hangs up.
import net from 'node:net';
import { respond } from '../served/responder.mjs';

const door = process.argv[2];
if (door === 'away') net.createServer((peer) => { peer.on('error', () => {}); peer.destroy(); }).listen({ fd: 0 });
else await respond({ fd: 0 }, (params) => ({ body: JSON.stringify({ door, params }) }));
