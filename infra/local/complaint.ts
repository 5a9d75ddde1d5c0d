/** Something the person at the terminal can put right: shown as one line, without a stack trace. */
export class Complaint extends Error {
  override readonly name = 'Complaint';
}
