// Whether something typed would be lost by leaving.

class Unsaved {
  isThere = $state(false);
}

export const unsaved = new Unsaved();
