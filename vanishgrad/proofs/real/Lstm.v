(* T4: the exact Jacobian of the real LSTM, any size, any inputs.

     i, f, o = sigma (U h_{t-1} + u_t),   g = tanh (U h_{t-1} + u_t),     u_t = W x_t + b of each gate,
     c_t = f c_{t-1} + i g,   h_t = o tanh c_t.

   T4_step.  Along any curve of states (h, c) that moves with (dh, dc), one step moves with

     dc' = F dc + C dh,   dh' = O dh + E dc',    where  F = diag f,
     C = diag (c f (1-f)) U_f + diag (g i (1-i)) U_i + diag (i (1-g^2)) U_g,
     O = diag (tanh c' o (1-o)) U_o,   E = diag (o (1 - tanh^2 c')).

   T4_run.  Hence T steps move with that recursion, iterated: this is the product J_T ... J_1. *)
From Coq Require Import Reals Lra Lia.
From Coquelicot Require Import Coquelicot.
From VG.real Require Import Sums Scalars.
Local Open Scope R_scope.

(* An LSTM together with the sequence that drives its gates; the inputs may be anything. *)
Record lstm := Lstm { size : nat; Ui : mat; Uf : mat; Ug : mat; Uo : mat;
                      ui : nat -> vec; uf : nat -> vec; ug : nat -> vec; uo : nat -> vec }.

(* the drive of a gate that only its bias moves *)
Definition constant (b : R) : nat -> vec := fun _ _ => b.

Section Lstm.
Variable N : lstm.
Let n := size N.

Definition gate_i t (h : vec) j := sigma (mulmx n (Ui N) h j + ui N t j).
Definition gate_f t (h : vec) j := sigma (mulmx n (Uf N) h j + uf N t j).
Definition gate_g t (h : vec) j := tanh (mulmx n (Ug N) h j + ug N t j).
Definition gate_o t (h : vec) j := sigma (mulmx n (Uo N) h j + uo N t j).

Definition c_next t (h c : vec) : vec := fun j => gate_f t h j * c j + gate_i t h j * gate_g t h j.
Definition h_next t (h c : vec) : vec := fun j => gate_o t h j * tanh (c_next t h c j).

(* the blocks of the Jacobian, each applied to a vector *)
Definition actF t (h v : vec) : vec := fun j => gate_f t h j * v j.
Definition actC t (h c w : vec) : vec := fun j =>
  c j * (gate_f t h j * (1 - gate_f t h j)) * mulmx n (Uf N) w j
  + gate_g t h j * (gate_i t h j * (1 - gate_i t h j)) * mulmx n (Ui N) w j
  + gate_i t h j * (1 - gate_g t h j ^ 2) * mulmx n (Ug N) w j.
Definition actO t (h c w : vec) : vec := fun j =>
  tanh (c_next t h c j) * (gate_o t h j * (1 - gate_o t h j)) * mulmx n (Uo N) w j.
Definition actE t (h c v : vec) : vec := fun j =>
  gate_o t h j * (1 - tanh (c_next t h c j) ^ 2) * v j.

Definition dc_next t (h c dh dc : vec) : vec := fun j => actF t h dc j + actC t h c dh j.
Definition dh_next t (h c dh dc : vec) : vec := fun j =>
  actO t h c dh j + actE t h c (dc_next t h c dh dc) j.

Theorem T4_step t (h c : R -> vec) e dh dc : velocity h e dh -> velocity c e dc ->
  velocity (fun y => c_next t (h y) (c y)) e (dc_next t (h e) (c e) dh dc) /\
  velocity (fun y => h_next t (h y) (c y)) e (dh_next t (h e) (c e) dh dc).
Proof.
intros hh hc.
assert (gate : forall s s' U u, (forall a, is_derive s a (s' a)) -> forall j,
  is_derive (fun y => s (mulmx n U (h y) j + u t j)) e
            (s' (mulmx n U (h e) j + u t j) * mulmx n U dh j)).
{ intros s s' U u hs j; apply (derive_comp s (fun y => mulmx n U (h y) j + u t j)); [apply hs|].
  now apply derive_affine. }
assert (moves : velocity (fun y => c_next t (h y) (c y)) e (dc_next t (h e) (c e) dh dc)).
{ intros j; unfold c_next; evar_last.
  - apply derive_add; apply derive_mul.
    + apply (gate sigma _ (Uf N) (uf N) is_derive_sigma).
    + apply hc.
    + apply (gate sigma _ (Ui N) (ui N) is_derive_sigma).
    + apply (gate tanh _ (Ug N) (ug N) is_derive_tanh).
  - unfold dc_next, actF, actC, gate_f, gate_i, gate_g; ring. }
split; [exact moves|]; intros j; unfold h_next; evar_last.
- apply derive_mul; [apply (gate sigma _ (Uo N) (uo N) is_derive_sigma)|].
  apply (derive_comp tanh (fun y => c_next t (h y) (c y) j)); [apply is_derive_tanh|apply moves].
- unfold dh_next, actO, actE, gate_o; ring.
Qed.

(* the state (h, c) after T steps *)
Fixpoint state T (s : vec * vec) : vec * vec :=
  match T with
  | O => s
  | S t => let (h, c) := state t s in (h_next T h c, c_next T h c)
  end.

(* J_T ... J_1 (dh, dc) along the trajectory from s *)
Fixpoint tangent T (s d : vec * vec) : vec * vec :=
  match T with
  | O => d
  | S t => let (h, c) := state t s in let (dh, dc) := tangent t s d in
           (dh_next T h c dh dc, dc_next T h c dh dc)
  end.

Definition h_at T s := fst (state T s).
Definition c_at T s := snd (state T s).
Definition dh_at T s d := fst (tangent T s d).
Definition dc_at T s d := snd (tangent T s d).

Lemma h_at_S t s : h_at (S t) s = h_next (S t) (h_at t s) (c_at t s).
Proof. unfold h_at, c_at; simpl; now destruct (state t s). Qed.
Lemma c_at_S t s : c_at (S t) s = c_next (S t) (h_at t s) (c_at t s).
Proof. unfold h_at, c_at; simpl; now destruct (state t s). Qed.
Lemma dh_at_S t s d : dh_at (S t) s d = dh_next (S t) (h_at t s) (c_at t s) (dh_at t s d) (dc_at t s d).
Proof. unfold h_at, c_at, dh_at, dc_at; simpl; now destruct (state t s), (tangent t s d). Qed.
Lemma dc_at_S t s d : dc_at (S t) s d = dc_next (S t) (h_at t s) (c_at t s) (dh_at t s d) (dc_at t s d).
Proof. unfold h_at, c_at, dh_at, dc_at; simpl; now destruct (state t s), (tangent t s d). Qed.

Theorem T4_run T (h c : R -> vec) e dh dc : velocity h e dh -> velocity c e dc ->
  velocity (fun y => h_at T (h y, c y)) e (dh_at T (h e, c e) (dh, dc)) /\
  velocity (fun y => c_at T (h y, c y)) e (dc_at T (h e, c e) (dh, dc)).
Proof.
intros hh hc; induction T as [|T [IHh IHc]]; [now split|].
destruct (T4_step (S T) _ _ e _ _ IHh IHc) as [sc sh]; rewrite dh_at_S, dc_at_S.
split; intros i.
- apply is_derive_ext with (2 := sh i); intros y; now rewrite h_at_S.
- apply is_derive_ext with (2 := sc i); intros y; now rewrite c_at_S.
Qed.
End Lstm.
