(* T5, the separation: biases that remember for T steps, whatever the inputs in a box.

   Fix the weights of an LSTM with |U_o| < 4 in the max-norm, inputs that move the forget and the input
   gate by at most B, and |h_0| <= 1, |c_0| <= C0.  Put

      A = B + max |U_f| |U_i|,   K = 1 + ((C0 + 1) |U_f| + |U_i| + |U_g|) / (1 - |U_o| / 4).

   For every T and every delta in (0, 1], the biases b_f = - b_i = b with b >= A + ln (4 K T / delta)
   make c_T move with a velocity |d| >= (1 - delta) |v| (T5_separation), and |d| <= (1 + delta/3) |v| as
   well (T11_half_line): a half-line of biases, which begins at a height that grows like ln T only.
   No contractive RNN can do that: if |W| x <= r x and r^T < 1 - delta, then |d| < (1 - delta) |v| for
   every v, all inputs and all states (T5_rnn_cannot). *)
From Coq Require Import Reals Lra Lia.
From Coquelicot Require Import Coquelicot.
From VG.real Require Import Sums Scalars Exponential MaxNorm Lstm LstmBounds LstmMemory Rnn.
Local Open Scope R_scope.

(* A shut input gate adds at most iota per step to the memory. *)
Lemma memory_bounded N T s C0 iota :
  (forall t j, (t < T)%nat -> (j < size N)%nat -> gate_i N (S t) (h_at N t s) j <= iota) ->
  (forall j, (j < size N)%nat -> Rabs (snd s j) <= C0) ->
  forall t j, (t <= T)%nat -> (j < size N)%nat -> Rabs (c_at N t s j) <= C0 + INR t * iota.
Proof.
intros shut start; induction t as [|t IH]; intros j ht hj.
- simpl; rewrite Rmult_0_l, Rplus_0_r; now apply start.
- rewrite c_at_S, S_INR; unfold c_next.
  specialize (IH j ltac:(lia) hj); pose proof (shut t j ltac:(lia) hj) as hi.
  assert (Rabs (gate_f N (S t) (h_at N t s) j * c_at N t s j) <= 1 * (C0 + INR t * iota)).
  { apply Rabs_mul_le; [apply forget_le1|easy]. }
  assert (Rabs (gate_i N (S t) (h_at N t s) j * gate_g N (S t) (h_at N t s) j) <= iota * 1).
  { apply Rabs_mul_le; [|apply tanh_abs_le1].
    rewrite Rabs_pos_eq; [easy|left; apply sigma_range]. }
  eapply Rle_trans; [apply Rabs_triang|lra].
Qed.

(* T detours of theta <= delta / (4 T) amplify by at most e^(delta/4) <= 1 + delta/3. *)
Lemma growth_le_third T theta delta : (1 <= T)%nat -> 0 < delta <= 1 -> 0 <= theta ->
  INR T * theta <= delta / 4 -> (1 + theta) ^ (T - 1) <= 1 + delta / 3.
Proof.
intros hT hd t0 ht; apply (le_INR 1) in hT as T1; simpl in T1.
set (k := delta / 4) in *; assert (k0 : 0 < k <= 1 / 4) by (unfold k; lra).
assert (grown : (1 + theta) ^ (T - 1) <= exp k).
{ eapply Rle_trans; [apply growth_le_exp; lra|].
  assert (INR (T - 1) * theta <= k) as [h| ->] by (rewrite minus_INR by easy; simpl; nra).
  - left; now apply exp_increasing.
  - apply Rle_refl. }
assert (exp k <= 1 + 4 * k / 3) by (pose proof (exp_le_inv k); pose proof (exp_pos k); nra).
unfold k in *; lra.
Qed.

(* For 0 < delta <= 1 the losses delta/4 and e^(delta/4) - 1 <= delta/3 are less than delta. *)
Lemma loss_le T eps theta delta : (1 <= T)%nat -> 0 < delta <= 1 -> 0 <= eps -> 0 <= theta ->
  INR T * eps <= delta / 4 -> INR T * theta <= delta / 4 ->
  1 - delta <= (1 - eps) ^ T - ((1 + theta) ^ (T - 1) - 1).
Proof.
intros hT hd e0 t0 he ht; pose proof (growth_le_third T theta delta hT hd t0 ht).
apply (le_INR 1) in hT as T1; simpl in T1; pose proof (bernoulli eps T ltac:(nra)); lra.
Qed.

Section Separation.
Variables (N : lstm) (T : nat) (h0 : vec) (c : R -> vec) (e : R) (v : vec) (B C0 b delta : R).
Let n := size N.
Let op U := opnorm n ones U.
Let A := B + Rmax (op (Uf N)) (op (Ui N)).
Let K := 1 + ((C0 + 1) * op (Uf N) + op (Ui N) + op (Ug N)) / (1 - op (Uo N) / 4).
Hypothesis T_ge1 : (1 <= T)%nat.
Hypothesis delta_range : 0 < delta <= 1.
Hypothesis C0_ge0 : 0 <= C0.
Hypothesis weak_output : op (Uo N) < 4.
Hypothesis h0_box : forall j, Rabs (h0 j) <= 1.
Hypothesis c0_box : forall j, (j < n)%nat -> Rabs (c e j) <= C0.
Hypothesis forget_drive : forall t j, (j < n)%nat -> b - B <= uf N t j.
Hypothesis input_drive : forall t j, (j < n)%nat -> ui N t j <= B - b.
Hypothesis bias : A + ln (4 * K * INR T / delta) <= b.
Hypothesis moves : velocity c e v.
Let eps := exp (- (b - A)).
Let s := (h0, c e).

Lemma K_ge1 : 1 <= K.
Proof.
assert (g : 0 <= (C0 + 1) * op (Uf N) + op (Ui N) + op (Ug N)).
{ pose proof (opnorm_ge0 (x:=ones) n (Uf N)); pose proof (opnorm_ge0 (x:=ones) n (Ui N)).
  pose proof (opnorm_ge0 (x:=ones) n (Ug N)); unfold op; nra. }
assert (0 < / (1 - op (Uo N) / 4)) by (apply Rinv_0_lt_compat; lra).
unfold K, Rdiv at 1; nra.
Qed.

Lemma eps_small : INR T * (K * eps) <= delta / 4.
Proof.
pose proof K_ge1 as K1; apply (le_INR 1) in T_ge1 as T1; simpl in T1.
assert (arg : 0 < 4 * K * INR T / delta) by (apply Rdiv_lt_0_compat; nra).
assert (e1 : eps <= / (4 * K * INR T / delta)).
{ rewrite <- (exp_ln _ arg), <- exp_Ropp; unfold eps.
  assert (- (b - A) <= - ln (4 * K * INR T / delta)) as [h| ->] by lra; [|apply Rle_refl].
  left; now apply exp_increasing. }
replace (delta / 4) with (INR T * (K * / (4 * K * INR T / delta))) by (field; lra).
repeat (apply Rmult_le_compat_l; [lra|]); easy.
Qed.

Lemma drive_le U t j : (j < n)%nat -> op U <= Rmax (op (Uf N)) (op (Ui N)) ->
  Rabs (mulmx n U (h_at N t s) j) <= A - B.
Proof.
intros hj hU; unfold A; eapply Rle_trans; [apply recurrent_drive_le; [easy|]|fold (op U); lra].
now apply hidden_bounded.
Qed.

Lemma forget_open t j : (j < n)%nat -> 1 - eps <= gate_f N (S t) (h_at N t s) j.
Proof.
intros hj; assert (d := drive_le (Uf N) t j hj (Rmax_l _ _)); apply Rabs_le_between in d.
pose proof (forget_drive (S t) j hj).
apply Rle_trans with (sigma (b - A)); [|apply sigma_le; fold n; lra].
pose proof (sigma_opp_le (b - A)); rewrite sigma_opp in H0; unfold eps; lra.
Qed.

Lemma input_shut t j : (j < n)%nat -> gate_i N (S t) (h_at N t s) j <= eps.
Proof.
intros hj; assert (d := drive_le (Ui N) t j hj (Rmax_r _ _)); apply Rabs_le_between in d.
pose proof (input_drive (S t) j hj).
apply Rle_trans with (sigma (- (b - A))); [apply sigma_le; fold n; lra|apply sigma_opp_le].
Qed.

Theorem T11_half_line : exists d, velocity (fun y => c_at N T (h0, c y)) e d /\
  (1 - delta) * norm n ones v <= norm n ones d <= (1 + delta / 3) * norm n ones v.
Proof.
pose proof K_ge1 as K1; pose proof eps_small as small.
assert (e0 : 0 < eps) by apply exp_pos.
apply (le_INR 1) in T_ge1 as T1; simpl in T1.
assert (Te : INR T * eps <= delta / 4).
{ eapply Rle_trans; [|exact small]; apply Rmult_le_compat_l; [lra|].
  rewrite <- (Rmult_1_l eps) at 1; apply Rmult_le_compat_r; lra. }
assert (e1 : eps <= 1 / 4) by nra.
assert (hold : gates_hold N T h0 (c e) eps eps (C0 + 1)).
{ intros t ht j hj; split; [now apply forget_open|split; [now apply input_shut|]].
  eapply Rle_trans; [apply (memory_bounded N T _ C0 eps); try easy; [|lia]|].
  - intros; now apply input_shut.
  - assert (INR t <= INR T) by (apply le_INR; lia); nra. }
assert (gain : detour_gain N ones eps eps (C0 + 1) / (1 - hidden_gain N ones) = (K - 1) * eps).
{ unfold detour_gain, hidden_gain, K; fold n; unfold op in *; field; lra. }
destruct (T5c_between N ones T h0 c e v eps eps (C0 + 1)) as (d & hd & lo & hi); try easy; try lra.
- apply ones_pos.
- unfold hidden_gain; fold n; unfold op in *; lra.
- rewrite gain in lo, hi; pose proof (norm_ge0 (x:=ones) n v); fold n in lo, hi.
  exists d; split; [easy|split].
  + eapply Rle_trans; [|exact lo]; apply Rmult_le_compat_r; [easy|].
    apply loss_le; try easy; [lra|nra|nra].
  + eapply Rle_trans; [exact hi|]; apply Rmult_le_compat_r; [easy|].
    apply growth_le_third; try easy; nra.
Qed.

Corollary T5_separation : exists d, velocity (fun y => c_at N T (h0, c y)) e d /\
  (1 - delta) * norm n ones v <= norm n ones d.
Proof. destruct T11_half_line as (d & hd & lo & _); now exists d. Qed.
End Separation.

Theorem T5_rnn_cannot n W x r delta T u (h : R -> vec) v e :
  (forall i, 0 < x i) -> 0 <= r ->
  (forall i, (i < n)%nat -> sumR n (fun j => Rabs (W i j) * x j) <= r * x i) ->
  r ^ T < 1 - delta -> velocity h e v -> 0 < norm n x v ->
  exists d, velocity (fun y => tanh_run n W u T (h y)) e d /\ norm n x d < (1 - delta) * norm n x v.
Proof.
intros x0 r0 cert short hv v0; destruct (T1_maxnorm n W x r x0 r0 cert u T h v e hv) as (d & hd & le).
exists d; split; [easy|]; nra.
Qed.
