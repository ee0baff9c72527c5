// power.mjs - a disk whose power can be cut: a file system in a file, mounted through a loop device.
//
//   const disk = makeDisk('ext4');      // root, and a kernel that mounts loop devices; else `whyNot()` says why not
//   disk.mount();
//   … whatever writes below disk.dir …
//   disk.cut();                         // nothing that is not on the disk by now gets there any more
//   … end the programs …
//   disk.unmount(); disk.mount();       // the journal is played back, as after a real cut
//   disk.drop();
//
// `xfs_io -x -c shutdown` stops the file system in the middle of what it does and forgets what is only in
// memory: file contents without a sync, and names without one of their folder.  What a disk's own cache
// might lose behind the kernel's back is out of reach of this.
import { spawnSync } from 'node:child_process';
import fs from 'node:fs';
import path from 'node:path';
import { IS_ROOT, dropFolder, makeFolder } from '../lib/instance.mjs';

const KINDS = {
  ext4: { size: 64, make: ['mkfs.ext4', '-q', '-F'] },
  xfs: { size: 320, make: ['mkfs.xfs', '-q', '-f'] }, // the least that xfs is made for
};
export const kinds = Object.keys(KINDS);
const PATH = `${process.env.PATH}:/usr/sbin:/sbin`;

function run(command, args) {
  const done = spawnSync(command, args, { encoding: 'utf8', timeout: 60000, env: { ...process.env, PATH } });
  return { ok: done.status === 0, why: (done.stderr || done.error?.message || `${command}: ${done.status ?? done.signal}`).trim().split('\n')[0] };
}
function must(command, args) {
  const { ok, why } = run(command, args);
  if (!ok) throw new Error(`${command} ${args.join(' ')}: ${why}`);
}

export class Disk {
  constructor(kind) {
    this.home = makeFolder();
    this.image = path.join(this.home, 'image');
    this.dir = path.join(this.home, 'disk');
    this.mounted = false;
    fs.mkdirSync(this.dir);
    fs.writeFileSync(this.image, '');
    fs.truncateSync(this.image, KINDS[kind].size << 20);
    const [make, ...args] = KINDS[kind].make;
    must(make, [...args, this.image]);
    // The harness removes its folders when it ends; ours must be off before.
    process.prependListener('exit', () => this.unmount());
  }
  mount() {
    must('mount', ['-o', 'loop', this.image, this.dir]);
    this.mounted = true;
  }
  cut() {
    must('xfs_io', ['-x', '-c', 'shutdown', this.dir]);
  }
  unmount() {
    if (!this.mounted) return;
    this.mounted = false;
    if (!run('umount', [this.dir]).ok) run('umount', ['-l', this.dir]);
  }
  drop() {
    this.unmount();
    dropFolder(this.home);
  }
}
export const makeDisk = (kind) => new Disk(kind);

// '' where a disk of this kind can be made, mounted and cut; else what is missing.
export function whyNot(kind) {
  if (!IS_ROOT) return 'loop mounts need root';
  let disk;
  try {
    disk = new Disk(kind);
    disk.mount();
    fs.writeFileSync(path.join(disk.dir, 'lost'), 'not synced');
    disk.cut();
    disk.unmount();
    disk.mount();
    return fs.existsSync(path.join(disk.dir, 'lost')) ? `${kind}: what was not synced outlives a cut here, so a cut shows nothing` : '';
  } catch (error) {
    return error.message;
  } finally {
    disk?.drop();
  }
}
